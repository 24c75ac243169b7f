# Modules of the engine, from the leaves up.
foreach(name error pool siphash hashtab heap tsnmap reassembly rto cc_rfc9260)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/test_${name}.c)
    hws_unit_test(${name} hws_stack)
  endif()
endforeach()
