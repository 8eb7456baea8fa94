// The program's own definitions of these functions take precedence over glibc's, also for the
// libraries that it uses.
#include "faults/failing_calls.hpp"

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>

extern "C" {
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
}

namespace faults {
namespace {

thread_local bool armed = false;
thread_local Group group = Group::kAllocation;
thread_local size_t calls = 0;
thread_local size_t failing = 0;
bool on_fat = false;

bool fails(Group of) {
    if (!armed || group != of) return false;
    return ++calls == failing;
}

// The definition that glibc would have given.
template <typename Function>
Function next(Function, const char* name) {
    return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

void rename_never_replaces(bool on) {
    on_fat = on;
}

void fail(Group of, size_t n) {
    group = of;
    calls = 0;
    failing = n;
    armed = true;
}

size_t stop() {
    armed = false;
    return calls;
}

}  // namespace faults

using faults::Group;

extern "C" {

void* malloc(size_t size) {
    if (!faults::fails(Group::kAllocation)) return __libc_malloc(size);
    errno = ENOMEM;
    return nullptr;
}

void* calloc(size_t count, size_t size) {
    if (!faults::fails(Group::kAllocation)) return __libc_calloc(count, size);
    errno = ENOMEM;
    return nullptr;
}

void* realloc(void* old, size_t size) {
    if (!faults::fails(Group::kAllocation)) return __libc_realloc(old, size);
    errno = ENOMEM;
    return nullptr;
}

int socket(int domain, int type, int protocol) {
    static const auto real = faults::next(&socket, "socket");
    if (!faults::fails(Group::kSocket)) return real(domain, type, protocol);
    errno = EMFILE;
    return -1;
}

int connect(int fd, const sockaddr* address, socklen_t length) {
    static const auto real = faults::next(&connect, "connect");
    if (!faults::fails(Group::kSocket)) return real(fd, address, length);
    errno = ENETUNREACH;
    return -1;
}

ssize_t send(int fd, const void* bytes, size_t size, int flags) {
    static const auto real = faults::next(&send, "send");
    if (!faults::fails(Group::kSocket)) return real(fd, bytes, size, flags);
    errno = EPIPE;
    return -1;
}

ssize_t recv(int fd, void* bytes, size_t size, int flags) {
    static const auto real = faults::next(&recv, "recv");
    if (!faults::fails(Group::kSocket)) return real(fd, bytes, size, flags);
    errno = ECONNRESET;
    return -1;
}

int setsockopt(int fd, int level, int name, const void* value, socklen_t length) {
    static const auto real = faults::next(&setsockopt, "setsockopt");
    if (!faults::fails(Group::kSocket)) return real(fd, level, name, value, length);
    errno = ENOBUFS;
    return -1;
}

int getsockopt(int fd, int level, int name, void* value, socklen_t* length) {
    static const auto real = faults::next(&getsockopt, "getsockopt");
    if (!faults::fails(Group::kSocket)) return real(fd, level, name, value, length);
    errno = ENOBUFS;
    return -1;
}

int fcntl(int fd, int command, ...) {
    static const auto real = faults::next(&fcntl, "fcntl");
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    if (!faults::fails(Group::kSocket)) return real(fd, command, argument);
    errno = EINVAL;
    return -1;
}

int open(const char* path, int flags, ...) {
    static const auto real = faults::next(&open, "open");
    va_list arguments;
    va_start(arguments, flags);
    const int mode = va_arg(arguments, int);
    va_end(arguments);
    if (!faults::fails(Group::kFile)) return real(path, flags, mode);
    errno = EIO;
    return -1;
}

ssize_t pread(int fd, void* bytes, size_t size, off_t offset) {
    static const auto real = faults::next(&pread, "pread");
    if (!faults::fails(Group::kFile)) return real(fd, bytes, size, offset);
    errno = EIO;
    return -1;
}

ssize_t write(int fd, const void* bytes, size_t size) {
    static const auto real = faults::next(&write, "write");
    if (!faults::fails(Group::kFile)) return real(fd, bytes, size);
    errno = ENOSPC;
    return -1;
}

int fsync(int fd) {
    static const auto real = faults::next(&fsync, "fsync");
    if (!faults::fails(Group::kFile)) return real(fd);
    errno = EIO;
    return -1;
}

int rename(const char* from, const char* to) {
    static const auto real = faults::next(&rename, "rename");
    if (faults::fails(Group::kFile)) {
        errno = EROFS;
        return -1;
    }
    struct stat info {};
    if (faults::on_fat && ::lstat(to, &info) == 0) {
        errno = EEXIST;
        return -1;
    }
    return real(from, to);
}

int stat(const char* path, struct stat* info) {
    static const auto real = faults::next(&stat, "stat");
    if (!faults::fails(Group::kFile)) return real(path, info);
    errno = EIO;
    return -1;
}

DIR* opendir(const char* path) {
    static const auto real = faults::next(&opendir, "opendir");
    if (!faults::fails(Group::kFile)) return real(path);
    errno = EIO;
    return nullptr;
}

int unlink(const char* path) noexcept {
    static const auto real = faults::next(&unlink, "unlink");
    if (!faults::fails(Group::kFile)) return real(path);
    errno = EROFS;
    return -1;
}

dirent* readdir(DIR* directory) {
    static const auto real = faults::next(&readdir, "readdir");
    if (!faults::fails(Group::kFile)) return real(directory);
    errno = EIO;
    return nullptr;
}
}
