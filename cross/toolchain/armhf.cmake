# Debian 12 on armhf, compiled here against build/sysroot/armhf (made by cross/sysroot armhf).
set(TIDEGATE_TARGET_ARCH armhf)
set(TIDEGATE_TARGET_PROCESSOR arm)
set(TIDEGATE_TARGET_TRIPLE arm-linux-gnueabihf)
set(TIDEGATE_TARGET_EMULATOR qemu-arm-static)
include(${CMAKE_CURRENT_LIST_DIR}/common.cmake)
