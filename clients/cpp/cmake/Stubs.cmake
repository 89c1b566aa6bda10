# pando_client_stubs: the messages and stubs of protos/, in stubs_dir.
find_program(PANDO_GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)

# The details of errors are not for programs: compiled, and not installed.
file(GLOB protos CONFIGURE_DEPENDS RELATIVE ${PANDO_PROTOS_DIR} ${PANDO_PROTOS_DIR}/pando/v1/*.proto)
set(stubs_dir ${CMAKE_CURRENT_BINARY_DIR}/stubs)
file(MAKE_DIRECTORY ${stubs_dir})
set(stubs)
foreach(proto IN LISTS protos ITEMS pando/internal/v1/error.proto)
  string(REGEX REPLACE "\\.proto$" "" stem ${proto})
  set(outputs)
  foreach(suffix IN ITEMS pb.cc pb.h grpc.pb.cc grpc.pb.h)
    list(APPEND outputs ${stubs_dir}/${stem}.${suffix})
  endforeach()
  add_custom_command(
    OUTPUT ${outputs}
    COMMAND protobuf::protoc -I${PANDO_PROTOS_DIR} --cpp_out=${stubs_dir} --grpc_out=${stubs_dir}
      --plugin=protoc-gen-grpc=${PANDO_GRPC_CPP_PLUGIN} ${proto}
    DEPENDS ${PANDO_PROTOS_DIR}/${proto} ${PANDO_PROTOS_DIR}/pando/v1/common.proto
    COMMENT "protoc ${proto}"
    VERBATIM)
  list(APPEND stubs ${outputs})
endforeach()
# A target of its own: generated code does not keep our warnings.
add_library(pando_client_stubs OBJECT ${stubs})
target_include_directories(pando_client_stubs SYSTEM PUBLIC ${stubs_dir})
target_link_libraries(pando_client_stubs PUBLIC gRPC::grpc++ protobuf::libprotobuf)
set_target_properties(pando_client_stubs PROPERTIES POSITION_INDEPENDENT_CODE ON)
