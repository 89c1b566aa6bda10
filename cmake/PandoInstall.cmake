# What `cmake --install` puts where, and what scripts/package packs into a .deb and a tarball. Included
# last: it names the programs.
include(GNUInstallDirs)

# Manual pages and the completion come from the programs' own --help, so they cannot lag behind.
set(PANDO_MANUAL ${CMAKE_BINARY_DIR}/manual)
find_program(PANDO_HELP2MAN help2man)
if(NOT PANDO_HELP2MAN)
  message(STATUS "no help2man: no manual pages")
  set(manual_pages)
else()
  set(manual_pages scripts/man-pages $<TARGET_FILE_DIR:pandod> ${PANDO_MANUAL}/man)
endif()
set(completion ${PANDO_MANUAL}/bash-completion/completions/pando)
add_custom_command(OUTPUT ${completion}
  COMMAND ${manual_pages}
  COMMAND ${CMAKE_COMMAND} -E make_directory ${PANDO_MANUAL}/man ${PANDO_MANUAL}/bash-completion/completions
  COMMAND pando completion bash > ${completion}
  DEPENDS pandod pando ${CMAKE_SOURCE_DIR}/scripts/man-pages
  WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} COMMENT "Manual pages and completion" VERBATIM)
add_custom_target(manual ALL DEPENDS ${completion})

install(TARGETS pandod pando RUNTIME)
install(DIRECTORY ${PANDO_MANUAL}/man/ DESTINATION ${CMAKE_INSTALL_MANDIR})
install(DIRECTORY ${PANDO_MANUAL}/bash-completion DESTINATION ${CMAKE_INSTALL_DATADIR})
install(FILES deploy/systemd/pandod.service DESTINATION lib/systemd/system)
install(FILES CHANGELOG.md deploy/debian/copyright DESTINATION ${CMAKE_INSTALL_DOCDIR})
# Where configuration goes follows from the prefix of the moment (/usr has it in /etc), which cpack and
# `cmake --install --prefix` choose. What an operator has written is not overwritten.
install(CODE "set(config \"${CMAKE_SOURCE_DIR}/deploy/systemd/pandod.conf\")")
install(CODE [[
  set(folder "${CMAKE_INSTALL_PREFIX}/etc/pando")
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
    set(folder "/etc/pando")
  endif()
  if(NOT EXISTS "$ENV{DESTDIR}${folder}/pandod.conf")
    file(INSTALL "${config}" DESTINATION "${folder}")
  endif()
]])

set(CPACK_GENERATOR DEB TGZ)
set(CPACK_PACKAGE_VENDOR "The Pando authors")
set(CPACK_PACKAGE_CONTACT "The Pando authors <maintainers@pando.invalid>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "replicated tree of small nodes for other programs to agree on")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_SOURCE_DIR}/cmake/PandoPackage.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
  "Configuration, who is alive, who leads, who holds a lock: versioned nodes, ephemeral and sequential ones,
transactions, sessions and watches over gRPC, kept by an ensemble of one to nine servers.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
foreach(script conffiles postinst prerm postrm)
  list(APPEND CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_SOURCE_DIR}/deploy/debian/${script})
endforeach()
include(CPack)
