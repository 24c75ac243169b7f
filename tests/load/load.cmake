# Many threads, many sockets, many associations: what grows with a program's size.
foreach(name threads scale)
  add_executable(load_${name} load/${name}.c)
  target_link_libraries(load_${name} PRIVATE hws_link_tool hws_api)
endforeach()

# ThreadSanitizer is what this test is for; elsewhere a few seconds of it do.
if(HWS_TSAN)
  set(HWS_LOAD_SECONDS 30)
else()
  set(HWS_LOAD_SECONDS 4)
endif()
add_test(NAME threads COMMAND load_threads ${HWS_LOAD_SECONDS})
set_tests_properties(threads PROPERTIES TIMEOUT 120)

add_test(NAME scale_sockets COMMAND load_scale sockets 20000)
add_test(NAME scale_assocs COMMAND load_scale assocs 10000)
add_test(NAME scale_port COMMAND load_scale port)
set_tests_properties(scale_sockets scale_assocs PROPERTIES TIMEOUT 300)
