/* The capture file of the air. */
#include "sim/pcap_file.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/wr.h"

#define MAGIC 0xa1b2c3d4U
#define LINKTYPE_IEEE802_15_4_WITHFCS 195
#define FILE_HEADER 24
#define RECORD_HEADER 16
#define SNAP 256

static bool write_all(int fd, const struct wr *w)
{
	struct rd out;

	return wr_done(w, &out) && write(fd, out.at, out.left) == (ssize_t)out.left;
}

static bool write_header(int fd)
{
	uint8_t buffer[FILE_HEADER];
	struct wr w = wr_of(buffer, sizeof buffer);

	wr_le32(&w, MAGIC);
	wr_le16(&w, 2);
	wr_le16(&w, 4);
	wr_le32(&w, 0);
	wr_le32(&w, 0);
	wr_le32(&w, SNAP);
	wr_le32(&w, LINKTYPE_IEEE802_15_4_WITHFCS);
	return write_all(fd, &w);
}

/* Where the last whole record ends. */
static off_t whole_records(int fd, off_t size)
{
	off_t at = FILE_HEADER;

	for (;;) {
		uint8_t header[RECORD_HEADER];
		struct rd r = rd_of(header, sizeof header);
		uint32_t seconds, micros, len;

		if (pread(fd, header, sizeof header, at) != (ssize_t)sizeof header || !rd_le32(&r, &seconds) || !rd_le32(&r, &micros) ||
		    !rd_le32(&r, &len) || len > SNAP || at + RECORD_HEADER + (off_t)len > size)
			return at;
		at += RECORD_HEADER + (off_t)len;
	}
}

enum err pcap_file_open(const char *path, int *out)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	off_t size;

	if (fd < 0)
		return ERR_IO;
	size = lseek(fd, 0, SEEK_END);
	if (size < FILE_HEADER) {
		if (ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 || !write_header(fd))
			goto fail;
	} else {
		size = whole_records(fd, size);
		if (ftruncate(fd, size) != 0 || lseek(fd, size, SEEK_SET) != size)
			goto fail;
	}
	*out = fd;
	return OK;
fail:
	close(fd);
	return ERR_IO;
}

enum err pcap_file_write(int fd, uint64_t unix_us, struct rd psdu)
{
	uint8_t buffer[RECORD_HEADER + SNAP];
	struct wr w = wr_of(buffer, sizeof buffer);

	wr_le32(&w, (uint32_t)(unix_us / 1000000));
	wr_le32(&w, (uint32_t)(unix_us % 1000000));
	wr_le32(&w, (uint32_t)psdu.left);
	wr_le32(&w, (uint32_t)psdu.left);
	wr_rd(&w, psdu);
	return write_all(fd, &w) ? OK : ERR_IO;
}
