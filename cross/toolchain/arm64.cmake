# Debian 12 on arm64, compiled here against build/sysroot/arm64 (made by cross/sysroot arm64).
set(TIDEGATE_TARGET_ARCH arm64)
set(TIDEGATE_TARGET_PROCESSOR aarch64)
set(TIDEGATE_TARGET_TRIPLE aarch64-linux-gnu)
set(TIDEGATE_TARGET_EMULATOR qemu-aarch64-static)
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
