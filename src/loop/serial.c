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
	{57600, B57600},
	{115200, B115200},
	{230400, B230400},
	{460800, B460800},
	{921600, B921600},
	{1000000, B1000000},
};

static enum err speed_of(const char *text, speed_t *speed)
{
	uint64_t baud;

	if (!rd_decimal(rd_str(text), &baud))
		return ERR_CONFIG;
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
	int fd;

	if (colon && speed_of(colon + 1, &speed) != OK)
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
