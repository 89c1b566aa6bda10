# Read by cpack, once for each kind of package. A .deb is a system's /usr and /etc: an installation
# into DESTDIR. A tarball is one folder that may lie anywhere.
if(CPACK_GENERATOR STREQUAL DEB)
  set(CPACK_SET_DESTDIR ON)
  set(CPACK_INSTALL_PREFIX /usr)
endif()
