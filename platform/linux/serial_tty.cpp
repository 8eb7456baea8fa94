#include "linux/serial_tty.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

namespace ota {
namespace {

constexpr Status kNoLine{Code::kUnavailable, Origin::kPlatform, Detail::kSerialLine};
constexpr Status kNotLikeThis{Code::kOutOfRange, Origin::kPlatform, Detail::kSerialLine};

speed_t speed_of(uint32_t baud_rate) {
    constexpr struct {
        uint32_t rate;
        speed_t speed;
    } kSpeeds[] = {{9600, B9600},     {19200, B19200},    {38400, B38400},   {57600, B57600},
                   {115200, B115200}, {230400, B230400},  {460800, B460800}, {500000, B500000},
                   {921600, B921600}, {1000000, B1000000}};
    for (const auto& known : kSpeeds) {
        if (known.rate == baud_rate) return known.speed;
    }
    return B0;
}

// Pseudo terminals have no parity, and refuse to be asked for it (admin-guide/devices.txt: 136 to
// 143 are Unix98 PTY slaves).
bool is_pseudo_terminal(int fd) {
    struct stat info {};
    return fstat(fd, &info) == 0 && major(info.st_rdev) >= 136 && major(info.st_rdev) <= 143;
}

bool set_line(int fd, const SerialConfig& config) {
    termios line{};
    const speed_t speed = speed_of(config.baud_rate);
    if (speed == B0 || tcgetattr(fd, &line) != 0) return false;
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    line.c_cflag &= ~static_cast<tcflag_t>(PARODD | CRTSCTS);
    const auto set = [&](tcflag_t flag, bool on) {
        if (on) {
            line.c_cflag |= flag;
        } else {
            line.c_cflag &= ~flag;
        }
    };
    set(PARENB, config.format == SerialFormat::k8E1 && !is_pseudo_terminal(fd));
    set(CSTOPB, config.format == SerialFormat::k8N2);
    line.c_cc[VMIN] = 0;
    line.c_cc[VTIME] = 0;
    return cfsetispeed(&line, speed) == 0 && cfsetospeed(&line, speed) == 0 &&
           tcsetattr(fd, TCSANOW, &line) == 0 && tcflush(fd, TCIOFLUSH) == 0;
}

}  // namespace

Status TtyPort::open(const SerialConfig& config) {
    close();
    fd_ = ::open(config.device, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd_ < 0) return kNoLine;
    if (set_line(fd_, config)) return {};
    close();
    return kNotLikeThis;
}

Result<size_t> TtyPort::read(MutableBytes out) {
    const ssize_t count = ::read(fd_, out.data(), out.size());
    if (count >= 0) return static_cast<size_t>(count);
    // A pseudo terminal whose other side is closed says EIO until somebody opens it again.
    if (errno == EAGAIN || errno == EINTR || errno == EIO) return size_t{0};
    return kNoLine;
}

Result<size_t> TtyPort::write(Bytes bytes) {
    const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
    if (count >= 0) return static_cast<size_t>(count);
    if (errno == EAGAIN || errno == EINTR) return size_t{0};
    return kNoLine;
}

void TtyPort::close() {
    if (fd_ >= 0) (void)::close(fd_);
    fd_ = -1;
}

}  // namespace ota
