# Scenario scripts: one test for each file, script_NAME for tests/script/NAME.hws.
set(HWS_SCRIPT_DIR ${CMAKE_CURRENT_LIST_DIR})
add_executable(script
  ${HWS_SCRIPT_DIR}/main.c ${HWS_SCRIPT_DIR}/run.c ${HWS_SCRIPT_DIR}/setup.c
  ${HWS_SCRIPT_DIR}/wire.c ${HWS_SCRIPT_DIR}/call.c ${HWS_SCRIPT_DIR}/check.c
  ${HWS_SCRIPT_DIR}/names.c ${HWS_SCRIPT_DIR}/layout.c ${HWS_SCRIPT_DIR}/pattern_scan.c
  ${HWS_SCRIPT_DIR}/pattern_build.c ${HWS_SCRIPT_DIR}/pattern_match.c ${HWS_SCRIPT_DIR}/scan.c
  ${HWS_SCRIPT_DIR}/value.c ${HWS_SCRIPT_DIR}/world.c ${HWS_SCRIPT_DIR}/memory.c)
target_link_libraries(script PRIVATE hws_sim)

file(GLOB HWS_SCRIPTS CONFIGURE_DEPENDS RELATIVE ${HWS_SCRIPT_DIR} ${HWS_SCRIPT_DIR}/*.hws)
foreach(file ${HWS_SCRIPTS})
  string(REGEX REPLACE "\\.hws$" "" name ${file})
  add_test(NAME script_${name} COMMAND script ${file} WORKING_DIRECTORY ${HWS_SCRIPT_DIR})
endforeach()

# The interpreter itself: a wrong script fails with the right message, and none harms it.
file(GLOB HWS_WRONG_SCRIPTS CONFIGURE_DEPENDS RELATIVE ${HWS_SCRIPT_DIR}
     ${HWS_SCRIPT_DIR}/wrong/*.hws)
add_test(NAME script_language COMMAND script --fails ${HWS_WRONG_SCRIPTS}
         WORKING_DIRECTORY ${HWS_SCRIPT_DIR})
add_test(NAME script_mutations COMMAND script --mutate 100 ${HWS_SCRIPTS} ${HWS_WRONG_SCRIPTS}
         WORKING_DIRECTORY ${HWS_SCRIPT_DIR})
