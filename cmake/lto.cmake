# A Release build by gcc optimises across files ("link time optimization"): a message passes a dozen
# small functions of as many files, and a fifth of its instructions were calls. Objects are "fat",
# that is, ordinary ones as well, so that a test links them without waiting for a second
# compilation of all layers.
set(HWS_LTO OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU" AND
   NOT HWS_SANITIZE AND NOT HWS_TSAN)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT HWS_LTO OUTPUT HWS_LTO_WHY_NOT LANGUAGES C)
endif()

# hws_lto_compile(TARGET): its objects can be optimised across files.
function(hws_lto_compile target)
  if(HWS_LTO)
    target_compile_options(${target} PRIVATE -flto=auto -ffat-lto-objects)
  endif()
endfunction()

# hws_lto_link(TARGET): a program or shared library whose parts are.
function(hws_lto_link target)
  if(HWS_LTO)
    target_link_options(${target} PRIVATE -flto=auto)
  endif()
endfunction()

# hws_lto_whole(VARIABLE OBJECT..): sets VARIABLE to what a static library is made of: one ordinary
# object, already optimised, whatever compiler and options its users have; or just the objects.
function(hws_lto_whole variable)
  if(NOT HWS_LTO)
    set(${variable} ${ARGN} PARENT_SCOPE)
    return()
  endif()
  set(whole ${CMAKE_CURRENT_BINARY_DIR}/whole.o)
  add_custom_command(OUTPUT ${whole}
                     COMMAND ${CMAKE_C_COMPILER} -O3 -r -nostdlib -flto=auto
                             -flinker-output=nolto-rel -o ${whole} ${ARGN}
                     DEPENDS ${ARGN} COMMAND_EXPAND_LISTS VERBATIM)
  set_source_files_properties(${whole} PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
  set(${variable} ${whole} PARENT_SCOPE)
endfunction()
