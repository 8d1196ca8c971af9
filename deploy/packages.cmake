# Debian packages by CPack: signpost, libsignpost0, libsignpost-dev. deploy/package makes them of the preset `package`,
# whose prefix is /usr. What only Debian asks of a package is in deploy/debian/.
set(SIGNPOST_PACKAGER "Signpost maintainers <signpost@signpost.invalid>" CACHE STRING "Maintainer of the packages")
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC) # of SOURCE_DATE_EPOCH, where that is set
configure_file(deploy/debian/changelog.in ${CMAKE_BINARY_DIR}/deploy/debian/changelog @ONLY)

# Not for a plain `cmake --install`: these go into the packages alone.
foreach(component signpost libsignpost libsignpost-dev)
  set(package ${component})
  if(component STREQUAL "libsignpost")
    set(package libsignpost0)
  endif()
  install(FILES deploy/debian/copyright ${CMAKE_BINARY_DIR}/deploy/debian/changelog
    DESTINATION share/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
install(FILES deploy/debian/libsignpost0.lintian-overrides DESTINATION share/lintian/overrides RENAME libsignpost0
  COMPONENT libsignpost EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_SET_DESTDIR ON) # /etc is not below the prefix
set(CPACK_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL signpost libsignpost libsignpost-dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_SOURCE_DIR}/deploy/debian/compress.cmake)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER ${SIGNPOST_PACKAGER})
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "") # each package has a description of its own

set(CPACK_COMPONENT_SIGNPOST_DESCRIPTION "cluster DNS and service discovery
signpostd answers DNS for the services of a cluster, keeps their registry,
which kubectl and other clients of the Kubernetes API read and change, and
gives out their virtual IPs. signpost is its command line.")
set(CPACK_DEBIAN_SIGNPOST_PACKAGE_NAME signpost)
set(CPACK_DEBIAN_SIGNPOST_PACKAGE_SECTION net)
set(CPACK_DEBIAN_SIGNPOST_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
set(CPACK_DEBIAN_SIGNPOST_PACKAGE_CONTROL_EXTRA
  ${PROJECT_SOURCE_DIR}/deploy/debian/conffiles ${PROJECT_SOURCE_DIR}/deploy/debian/postinst
  ${PROJECT_SOURCE_DIR}/deploy/debian/prerm ${PROJECT_SOURCE_DIR}/deploy/debian/postrm)

set(CPACK_COMPONENT_LIBSIGNPOST_DESCRIPTION "finds the addresses and ports of services (library)
libsignpost turns names of services into addresses and ports, for programs
in C and C++, and picks among them.")
set(CPACK_DEBIAN_LIBSIGNPOST_PACKAGE_NAME libsignpost0)
set(CPACK_DEBIAN_LIBSIGNPOST_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_LIBSIGNPOST_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/deploy/debian/triggers)

set(CPACK_COMPONENT_LIBSIGNPOST-DEV_DESCRIPTION "finds the addresses and ports of services (headers)
What programs that use libsignpost need to be built: headers for C and C++,
a pkg-config file, a CMake package and the manual page.")
set(CPACK_DEBIAN_LIBSIGNPOST-DEV_PACKAGE_NAME libsignpost-dev)
set(CPACK_DEBIAN_LIBSIGNPOST-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBSIGNPOST-DEV_PACKAGE_DEPENDS "libsignpost0 (= ${PROJECT_VERSION})")
include(CPack)
