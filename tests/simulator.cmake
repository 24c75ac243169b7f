# The simulator: its parts, then the program on scenarios.
foreach(name sim_quantity sim_link sim_topology)
  hws_unit_test(${name} hws_simulator)
endforeach()
add_test(NAME simulator COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/simulator.sh check $<TARGET_FILE:hawser>
                                ${PROJECT_SOURCE_DIR})
