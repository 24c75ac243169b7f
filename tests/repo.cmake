# What is true of the repository as a whole.
add_test(NAME layering COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/layering.sh ${PROJECT_SOURCE_DIR}
                               $<TARGET_FILE:hws_proto> $<TARGET_FILE:hws_stack>)
add_test(NAME symbols COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/symbols.sh $<TARGET_FILE:hawser_shared>
                              ${PROJECT_SOURCE_DIR}/api/hawser)
add_test(NAME format COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/format.sh ${PROJECT_SOURCE_DIR})
add_test(NAME readme COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/readme.sh)
add_test(NAME man COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/man.sh $<TARGET_FILE:hawser>
                          ${PROJECT_BINARY_DIR}/docs/hawser.1 ${PROJECT_SOURCE_DIR}/docs/man/hawser.7
                          ${PROJECT_SOURCE_DIR}/api/hawser/runtime.h
                          ${PROJECT_SOURCE_DIR}/api/hawser/socket.h
                          ${PROJECT_SOURCE_DIR}/api/hawser/uv.h)
add_test(NAME doxygen COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/doxygen.sh ${PROJECT_SOURCE_DIR})
add_test(NAME examples COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/examples.sh
                               ${PROJECT_BINARY_DIR}/examples $<TARGET_FILE:hawser>)
add_test(NAME rfc COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/rfc.sh)
add_test(NAME rfc_selfcheck COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/rfc/selfcheck.sh)
set_tests_properties(format examples PROPERTIES SKIP_RETURN_CODE 77)
set_tests_properties(examples PROPERTIES TIMEOUT 240)
# A consumer links without the sanitizers' runtime.
if(NOT HWS_SANITIZE)
  add_test(NAME consumer COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/consumer/check.sh
                                 ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  add_test(NAME consumer_extension COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/consumer/extension.sh
                                           ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  set_tests_properties(consumer_extension PROPERTIES SKIP_RETURN_CODE 77)
endif()
