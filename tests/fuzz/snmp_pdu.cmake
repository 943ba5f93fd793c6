tidegate_pkg(NETSNMP netsnmp)
tidegate_fuzz(fuzz_snmp_pdu SOURCES fuzz_snmp_pdu.cpp LINK tidegate_driver_snmp PkgConfig::NETSNMP)
