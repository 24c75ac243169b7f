# Modules of the engine, from the leaves up.
foreach(name error pool siphash hashtab heap tsnmap reassembly rto pmtu cc_rfc9260
        idtab sched msg sendq outq locals init_params)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/test_${name}.c)
    hws_unit_test(${name} hws_stack)
  endif()
endforeach()

# Modules that cannot be had without a whole engine.
foreach(name registry cookie chunk_table timer engine_shards algorithms)
  if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/test_${name}.c)
    hws_unit_test(${name} hws_pair)
  endif()
endforeach()
