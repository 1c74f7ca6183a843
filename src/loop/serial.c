/* Serial lines. */
#include "loop/serial.h"

#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/rd.h"

static const struct {
	uint64_t baud;
	speed_t speed;
} speeds[] = {
	{9600, B9600},
	{19200, B19200},
	{38400, B38400},
	{57600, B57600},
	{115200, B115200},
	{230400, B230400},
	{460800, B460800},
	{500000, B500000},
	{921600, B921600},
	{1000000, B1000000},
	{2000000, B2000000},
};

static enum err speed_of(uint64_t baud, speed_t *speed)
{
	for (size_t i = 0; i < sizeof speeds / sizeof speeds[0]; i++) {
		if (speeds[i].baud == baud) {
			*speed = speeds[i].speed;
			return OK;
		}
	}
	return ERR_CONFIG;
}

enum err serial_open(const char *path_baud, int *out)
{
	const char *colon = strrchr(path_baud, ':');
	speed_t speed = B115200;
	struct termios t;
	char path[256];
	uint64_t baud;
	int fd;

	/* Names in /dev/serial/by-path have colons of their own: only a number is a baud rate. */
	if (colon && !rd_decimal(rd_str(colon + 1), &baud))
		colon = NULL;
	if (colon && speed_of(baud, &speed) != OK)
		return ERR_CONFIG;
	if (!rd_text(rd_of(path_baud, colon ? (size_t)(colon - path_baud) : strlen(path_baud)), path, sizeof path))
		return ERR_CONFIG;
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	if (tcgetattr(fd, &t) != 0) {
		close(fd);
		return ERR_IO;
	}
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL | CREAD;
	cfsetispeed(&t, speed);
	cfsetospeed(&t, speed);
	if (tcsetattr(fd, TCSANOW, &t) != 0) {
		close(fd);
		return ERR_IO;
	}
	*out = fd;
	return OK;
}
