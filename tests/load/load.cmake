# Many threads, many sockets, many associations: what grows with a program's size.
foreach(name threads scale calls)
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
add_test(NAME calls COMMAND load_calls 4)
set_tests_properties(calls PROPERTIES TIMEOUT 60)

# So many need more descriptors than most systems allow: scale.sh finds a place. A sanitizer's share is
# what fits here.
if(HWS_SANITIZE OR HWS_TSAN)
  set(HWS_LOAD_SOCKETS 3000)
else()
  set(HWS_LOAD_SOCKETS 20000)
endif()
add_test(NAME scale_sockets COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/load/scale.sh
                                    ${PROJECT_BINARY_DIR} ${HWS_LOAD_SOCKETS})
math(EXPR HWS_LOAD_ASSOCS "${HWS_LOAD_SOCKETS} / 2")
add_test(NAME scale_assocs COMMAND load_scale assocs ${HWS_LOAD_ASSOCS})
add_test(NAME scale_port COMMAND load_scale port)
set_tests_properties(scale_sockets scale_assocs PROPERTIES TIMEOUT 600)

# A million needs 2 GB and a minute: build/tests/load_idle 1000000.
add_executable(load_idle load/idle.c ${PROJECT_SOURCE_DIR}/sim/env.c)
target_link_libraries(load_idle PRIVATE bench_crowd hws_api OpenSSL::Crypto)
if(HWS_SANITIZE OR HWS_TSAN)
  set(HWS_LOAD_IDLE 5000)
else()
  set(HWS_LOAD_IDLE 100000)
endif()
add_test(NAME idle COMMAND load_idle ${HWS_LOAD_IDLE})
