#!/usr/bin/python3
"""Modbus units that answer as a test needs it, made with pymodbus: an implementation that is not ours.

Units 1 to 3 are well. Each holds, in holding and input registers at 100, 200, 300 and 400, one value of each type in
the byte orders abcd, badc, cdab and dcba; what else they do by address stands below. On a serial line units 11 to 13
answer with a wrong checksum (every second time), half an answer and noise before the answer. The others are missing.
"""
import argparse
import asyncio
import struct

from pymodbus.bit_read_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.framer.rtu_framer import ModbusRtuFramer
from pymodbus.framer.socket_framer import ModbusSocketFramer
from pymodbus.factory import ServerDecoder
from pymodbus.register_read_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest
from pymodbus.server import async_io

ORDERS = ("abcd", "badc", "cdab", "dcba")
EXCEPTIONS = 9000  # reading 9000 + n of any table gives exception n
BUSY_TWICE = 1100  # every third time it is not
ALWAYS_BUSY = 1101
ACKNOWLEDGED_ONCE = 1102
HOLES = (2005, 2013)  # there are no such holding registers
MOST_AT_ONCE = 2100  # from here on, more than 4 registers at once are refused with exception 3
STUBBORN = 3050  # takes what is written, and keeps its value


def words(raw, order):
    """The registers of a big-endian value in one of the four orders."""
    pairs = [raw[i : i + 2] for i in range(0, len(raw), 2)]
    if order in ("cdab", "dcba"):
        pairs.reverse()
    if order in ("badc", "dcba"):
        pairs = [pair[::-1] for pair in pairs]
    return [pair[0] << 8 | pair[1] for pair in pairs]


def text_words(text, order):
    """A text keeps the order of its registers; only bytes may be swapped."""
    return words(text, "badc" if order in ("badc", "dcba") else "abcd")


def values(order):
    packed = [
        struct.pack(">h", -1234),
        struct.pack(">H", 54321),
        struct.pack(">i", -123456789),
        struct.pack(">I", 3123456789),
        struct.pack(">q", -1234567890123),
        struct.pack(">Q", 9007199254740991),
        struct.pack(">f", -123.456),
        struct.pack(">d", 1234.56789012345),
        bytes.fromhex("9876"),
        bytes.fromhex("12345678"),
    ]
    registers = [word for raw in packed for word in words(raw, order)]
    registers += text_words("Tide gate ü".encode().ljust(16, b"\0"), order)
    for raw in (struct.pack(">H", 0xA5C3), struct.pack(">f", float("nan")), bytes.fromhex("00fa"), struct.pack(">h", 25500)):
        registers += words(raw, order)
    return registers + words(struct.pack(">h", -2), order)  # a power of ten


class Store(ModbusSequentialDataBlock):
    def validate(self, address, count=1):
        return not any(address <= hole < address + count for hole in HOLES) and super().validate(address, count)

    def setValues(self, address, values):
        if address != STUBBORN:
            super().setValues(address, values)


def registers():
    all_of_them = [address & 0xFFFF for address in range(10000)]
    for number, order in enumerate(ORDERS):
        own = values(order)
        all_of_them[100 * (number + 1) : 100 * (number + 1) + len(own)] = own
    return all_of_them


def unit():
    bits = [address % 3 == 0 for address in range(10000)]
    return ModbusSlaveContext(
        di=ModbusSequentialDataBlock(0, list(bits)),
        co=ModbusSequentialDataBlock(0, list(bits)),
        hr=Store(0, registers()),
        ir=ModbusSequentialDataBlock(0, registers()),
        zero_mode=True,
    )


asked = {}


def times(key):
    asked[key] = asked.get(key, 0) + 1
    return asked[key]


def troubled(table):
    """Requests to read a table, answered by address as it stands above."""

    class Read(table):
        def execute(self, context):
            covers = lambda address: self.address <= address < self.address + self.count
            for code in range(1, 12):
                if covers(EXCEPTIONS + code):
                    return self.doException(code)
            return trouble_of_holding(self, covers) or super().execute(context)

    return Read


def trouble_of_holding(read, covers):
    if not isinstance(read, ReadHoldingRegistersRequest):
        return None
    if covers(BUSY_TWICE) and times("busy") % 3 != 0:
        return read.doException(6)
    if covers(ALWAYS_BUSY):
        return read.doException(6)
    if covers(ACKNOWLEDGED_ONCE) and times("acknowledged") % 2 == 1:
        return read.doException(5)
    if MOST_AT_ONCE <= read.address < MOST_AT_ONCE + 100 and read.count > 4:
        return read.doException(3)
    return None


READS = [
    troubled(table)
    for table in (
        ReadCoilsRequest,
        ReadDiscreteInputsRequest,
        ReadHoldingRegistersRequest,
        ReadInputRegistersRequest,
    )
]


def spoil(response):
    """How units 11 to 13 answer on a line of RTU."""
    if response.unit_id not in (11, 12, 13):
        return response, False
    frame = ModbusRtuFramer(ServerDecoder()).buildPacket(response)
    spoil.answers += 1
    if response.unit_id == 11 and spoil.answers % 2 == 1:
        frame = frame[:-1] + bytes([frame[-1] ^ 0x55])
    if response.unit_id == 12:
        frame = frame[: len(frame) // 2]
    if response.unit_id == 13:
        frame = b"\xff\x00\xfe" + frame
    return frame, True


spoil.answers = 0


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tcp", type=int)
    parser.add_argument("--rtu-over-tcp", type=int)
    parser.add_argument("--serial")
    wanted = parser.parse_args()
    serial = wanted.serial is not None
    rtu = serial or wanted.rtu_over_tcp is not None
    units = {number: unit() for number in ((1, 2, 3, 11, 12, 13) if rtu else (1, 2, 3))}
    # On a bus a missing unit is silent; behind a TCP gateway, the gateway says so.
    context = ModbusServerContext(slaves=units, single=False)
    options = {"ignore_missing_slaves": rtu}
    if rtu:
        options["response_manipulator"] = spoil
    if serial:
        server = async_io.ModbusSerialServer(
            context, ModbusRtuFramer, port=wanted.serial, baudrate=9600, timeout=1, **options
        )
        await server.start()
    else:
        server = async_io.ModbusTcpServer(
            context,
            ModbusRtuFramer if rtu else ModbusSocketFramer,
            address=("127.0.0.1", wanted.rtu_over_tcp if rtu else wanted.tcp),
            allow_reuse_address=True,
            **options,
        )
    for read in READS:
        server.decoder.register(read)
    serving = asyncio.ensure_future(server.serve_forever())
    await asyncio.sleep(0.1)
    print("ready", flush=True)
    await serving


asyncio.run(main())
