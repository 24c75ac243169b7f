# The tools of bench/.
hws_unit_test(emu_line bench_emu_line)

add_executable(test_emu test_emu.c)
target_link_libraries(test_emu PRIVATE hws_link_tool)
add_test(NAME emu COMMAND test_emu $<TARGET_FILE:bench_emu>)
set_tests_properties(emu PROPERTIES SKIP_RETURN_CODE 77 TIMEOUT 60)
add_test(NAME lab COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/lab.sh ${PROJECT_SOURCE_DIR}
                          $<TARGET_FILE:hawser>)
set_tests_properties(lab PROPERTIES TIMEOUT 120)
