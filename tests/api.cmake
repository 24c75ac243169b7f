add_library(hws_link_tool STATIC link_tool.c netns.c)
target_compile_definitions(hws_link_tool PUBLIC _GNU_SOURCE)
target_link_libraries(hws_link_tool PUBLIC hws_api PkgConfig::CMOCKA)

foreach(name port_set raw_filter rxpool rxclock port_claim link_memory link_raw link_udp shared_buffer link_shards netwatch link_layer2 reassembly6 pcapng pcapng_read trace json)
  hws_unit_test(${name} hws_link_tool)
endforeach()
# What every link to IP promises, by all of them.
add_test(NAME link_packet COMMAND test_link_raw packet)
add_executable(test_link_veth test_link_veth.c)
target_link_libraries(test_link_veth PRIVATE hws_link_tool)
foreach(kind raw packet xdp)
  add_test(NAME link_veth_${kind} COMMAND test_link_veth ${kind})
endforeach()

add_library(hws_fake_engine STATIC fake_engine.c)
hws_unit_test(socket hws_fake_engine hws_api)
hws_unit_test(sockopt hws_fake_engine hws_api)
add_library(hws_hosts STATIC hosts.c)
target_link_libraries(hws_hosts PUBLIC hws_api hws_sim PkgConfig::CMOCKA)
hws_unit_test(sockopt_table hws_hosts)
hws_unit_test(sockopt_effect hws_hosts)
foreach(name env sockaddr driver spin turns)
  hws_unit_test(${name} hws_api)
endforeach()
add_library(hws_uv_world STATIC uv_world.c)
target_link_libraries(hws_uv_world PUBLIC hws_api PkgConfig::CMOCKA)
hws_unit_test(uv hws_uv_world)
hws_unit_test(runtime hws_uv_world)
foreach(name options stdio ping_count)
  hws_unit_test(${name} hws_cli)
endforeach()

add_library(hws_fd_tool STATIC fd_tool.c)
target_link_libraries(hws_fd_tool PUBLIC hws_link_tool)
hws_unit_test(blocked hws_link_tool)

foreach(name fd_calls fd_edges fd_poll fd_runtime fd_shards descriptors)
  hws_unit_test(${name} hws_fd_tool)
  set_tests_properties(${name} PROPERTIES TIMEOUT 120 RESOURCE_LOCK fd
                       ENVIRONMENT TSAN_OPTIONS=die_after_fork=0)
endforeach()
# The same when waits begin by polling.
foreach(name fd_calls fd_poll)
  add_test(NAME ${name}_spin COMMAND test_${name})
  set_tests_properties(${name}_spin PROPERTIES TIMEOUT 120 RESOURCE_LOCK fd
                       ENVIRONMENT "HWS_TEST_SPIN_US=200;TSAN_OPTIONS=die_after_fork=0")
endforeach()

hws_unit_test(firewall hws_cli)

add_test(NAME cli COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/cli.sh $<TARGET_FILE:hawser>
                          ${PROJECT_SOURCE_DIR})
set_tests_properties(cli PROPERTIES TIMEOUT 300)
set_tests_properties(netwatch PROPERTIES TIMEOUT 60)
add_test(NAME dump COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/dump.sh $<TARGET_FILE:hawser>
                           ${PROJECT_SOURCE_DIR}/tools/wireshark/hawser.lua)
set_tests_properties(dump PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
add_test(NAME qlog COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/qlog.sh $<TARGET_FILE:hawser>
                           $<TARGET_FILE:swarm> ${PROJECT_BINARY_DIR}/examples
                           ${PROJECT_SOURCE_DIR})
set_tests_properties(qlog PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)

# fec beside standard SCTP, over raw sockets between two namespaces.
add_test(NAME fec_raw COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/fec_raw.sh ${PROJECT_SOURCE_DIR}
                              $<TARGET_FILE:latency>)
set_tests_properties(fec_raw PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)

# Example extensions over raw sockets between two namespaces.
add_executable(extension_tool extension_tool.c)
target_compile_definitions(extension_tool PRIVATE _GNU_SOURCE)
target_include_directories(extension_tool PRIVATE ${PROJECT_BINARY_DIR}/include)
target_link_libraries(extension_tool PRIVATE hawser_shared ${CMAKE_DL_LIBS})
add_test(NAME extensions_raw
         COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/extensions_raw.sh ${PROJECT_SOURCE_DIR}
                 ${CMAKE_CURRENT_BINARY_DIR} ${PROJECT_BINARY_DIR}/examples/extensions)
set_tests_properties(extensions_raw PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)

add_test(NAME plot COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/plot.sh $<TARGET_FILE:hawser>
                           $<TARGET_FILE:swarm> ${PROJECT_SOURCE_DIR})
set_tests_properties(plot PROPERTIES TIMEOUT 120 SKIP_RETURN_CODE 77)
