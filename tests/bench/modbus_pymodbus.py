#!/usr/bin/python3
"""Reads 1,000 holding registers again and again with pymodbus' client, in requests of 125; prints how many it has read."""
import sys
import time

from pymodbus.client import ModbusTcpClient

client = ModbusTcpClient("127.0.0.1", port=int(sys.argv[1]))
client.connect()
end = time.monotonic() + float(sys.argv[2])
points = 0
while time.monotonic() < end:
    for address in range(0, 1000, 125):
        points += len(client.read_holding_registers(address, 125, slave=1).registers)
print(points)
