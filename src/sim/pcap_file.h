/* A capture file that survives a SIGKILL: records are written whole, and a torn last one is cut off when the file is opened again.
 * LINKTYPE_IEEE802_15_4_WITHFCS (195). */
#ifndef KEYWAY_SIM_PCAP_FILE_H
#define KEYWAY_SIM_PCAP_FILE_H

#include "base/err.h"
#include "base/rd.h"

enum err pcap_file_open(const char *path, int *fd) MUST_CHECK;
enum err pcap_file_write(int fd, uint64_t unix_us, struct rd psdu) MUST_CHECK;

#endif
