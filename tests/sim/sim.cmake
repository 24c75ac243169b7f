# Tests that need the whole engine: two engines told as stories, the seeded network, a run against
# another stack, failing allocations, and the fuzzers.
find_package(OpenSSL REQUIRED)
set(HWS_SIM_DIR ${CMAKE_CURRENT_LIST_DIR})
set(HWS_TESTS_DIR ${CMAKE_CURRENT_LIST_DIR}/..)

add_library(hws_sim STATIC
  ${HWS_SIM_DIR}/world.c ${HWS_SIM_DIR}/net.c ${HWS_SIM_DIR}/host.c ${HWS_SIM_DIR}/watch.c
  ${HWS_SIM_DIR}/flow.c ${HWS_SIM_DIR}/reading.c ${HWS_SIM_DIR}/foreign.c ${HWS_SIM_DIR}/draw.c
  ${HWS_SIM_DIR}/erratic.c ${HWS_SIM_DIR}/unruly.c ${PROJECT_SOURCE_DIR}/examples/extensions/fec.c)
set_source_files_properties(${PROJECT_SOURCE_DIR}/examples/extensions/fec.c
                            PROPERTIES COMPILE_DEFINITIONS HWS_EXTENSION_LINKED)
target_include_directories(hws_sim PRIVATE ${PROJECT_BINARY_DIR}/include)
target_link_libraries(hws_sim PUBLIC hws_simulator)

add_executable(swarm ${HWS_SIM_DIR}/swarm.c ${HWS_SIM_DIR}/record.c)
target_link_libraries(swarm PRIVATE hws_sim hws_api)
add_test(NAME swarm COMMAND swarm)
set_tests_properties(swarm PROPERTIES TIMEOUT 400)

add_executable(test_failover ${HWS_SIM_DIR}/test_failover.c)
target_link_libraries(test_failover PRIVATE hws_sim PkgConfig::CMOCKA)
add_test(NAME failover COMMAND test_failover)

add_executable(test_delay ${HWS_SIM_DIR}/test_delay.c)
target_link_libraries(test_delay PRIVATE hws_sim PkgConfig::CMOCKA)
add_test(NAME delay COMMAND test_delay)

add_library(hws_pair STATIC ${HWS_TESTS_DIR}/pair.c ${HWS_TESTS_DIR}/stranger.c)
target_link_libraries(hws_pair PUBLIC hws_sim PkgConfig::CMOCKA)
foreach(name setup begin rules data send read config end shutdown hostile paths window budget congestion fault
             attacks pmtu pathsel cc extension fec)
  hws_unit_test(pair_${name} hws_pair)
endforeach()

add_executable(test_allocfail ${HWS_SIM_DIR}/test_allocfail.c)
target_link_libraries(test_allocfail PRIVATE hws_pair)
add_test(NAME allocfail COMMAND test_allocfail)

add_library(hws_sockworld STATIC ${HWS_TESTS_DIR}/sockworld.c)
target_link_libraries(hws_sockworld PUBLIC hws_api hws_sim PkgConfig::CMOCKA)
foreach(name many recv)
  hws_unit_test(sock_${name} hws_sockworld)
endforeach()
add_executable(sockets_swarm ${HWS_SIM_DIR}/sockets_swarm.c)
target_link_libraries(sockets_swarm PRIVATE hws_sockworld)
add_test(NAME sockets_swarm COMMAND sockets_swarm)
set_tests_properties(sockets_swarm PROPERTIES TIMEOUT 200)

set(HWS_FUZZ_DIR ${HWS_TESTS_DIR}/fuzz)
if(HWS_FUZZ)
  set(HWS_FUZZ_FLAGS -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all)
  set(HWS_FUZZ_EXTENSIONS ${HWS_SIM_DIR}/erratic.c ${HWS_SIM_DIR}/unruly.c
      ${PROJECT_SOURCE_DIR}/examples/extensions/fec.c)
  foreach(library hws_proto hws_stack)
    target_compile_options(${library} PRIVATE ${HWS_FUZZ_FLAGS})
  endforeach()
  foreach(name engine text)
    add_executable(fuzz_${name} ${HWS_FUZZ_DIR}/fuzz_${name}.c ${PROJECT_SOURCE_DIR}/sim/env.c
                   ${HWS_FUZZ_EXTENSIONS})
    target_include_directories(fuzz_${name} PRIVATE ${PROJECT_BINARY_DIR}/include)
    target_compile_options(fuzz_${name} PRIVATE ${HWS_FUZZ_FLAGS})
    target_link_libraries(fuzz_${name} PRIVATE hws_stack hws_proto OpenSSL::Crypto
                          -fsanitize=fuzzer,address,undefined)
  endforeach()
  add_executable(fuzz_corpus ${HWS_FUZZ_DIR}/corpus.c)
  target_link_libraries(fuzz_corpus PRIVATE hws_proto -fsanitize=address,undefined)
else()
  add_test(NAME fuzz COMMAND ${HWS_FUZZ_DIR}/run.sh ${PROJECT_SOURCE_DIR}
           ${CMAKE_BINARY_DIR}/fuzz 30)
  set_tests_properties(fuzz PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 300)
endif()

set(HWS_DIFFERENTIAL_DIR ${HWS_TESTS_DIR}/differential)
pkg_check_modules(USRSCTP REQUIRED IMPORTED_TARGET usrsctp)
add_executable(differential ${HWS_DIFFERENTIAL_DIR}/differential.c ${HWS_DIFFERENTIAL_DIR}/usr.c)
target_link_libraries(differential PRIVATE hws_sim PkgConfig::USRSCTP)
add_test(NAME differential COMMAND differential)
set_tests_properties(differential PROPERTIES TIMEOUT 200)

# What the example extensions claim, in virtual time.
add_library(hws_scenario STATIC ${HWS_TESTS_DIR}/scenario.c)
target_link_libraries(hws_scenario PUBLIC hws_simulator PkgConfig::CMOCKA)
target_compile_definitions(hws_scenario PRIVATE HWS_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
foreach(name delaycc redundant fec drr)
  set(HWS_EXAMPLE ${PROJECT_SOURCE_DIR}/examples/extensions/${name}.c)
  add_executable(test_example_${name} ${HWS_TESTS_DIR}/test_example_${name}.c ${HWS_EXAMPLE})
  set_source_files_properties(${HWS_EXAMPLE} PROPERTIES COMPILE_DEFINITIONS HWS_EXTENSION_LINKED)
  target_include_directories(test_example_${name} PRIVATE ${PROJECT_BINARY_DIR}/include)
  target_link_libraries(test_example_${name} PRIVATE hws_scenario)
  add_test(NAME example_${name} COMMAND test_example_${name})
endforeach()
