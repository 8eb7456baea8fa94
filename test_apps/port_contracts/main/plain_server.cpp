#include "plain_server.hpp"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

PlainServer::PlainServer() {
    listener_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const place = reinterpret_cast<sockaddr*>(&address);
    const bool listens = bind(listener_, place, length) == 0 && listen(listener_, 4) == 0 &&
                         getsockname(listener_, place, &length) == 0;
    port_ = listens ? ntohs(address.sin_port) : 0;
    // The tick of the FreeRTOS port is a signal: not for this thread.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_create(&thread_, nullptr, serve, this);
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

PlainServer::~PlainServer() {
    shutdown(listener_, SHUT_RDWR);
    pthread_join(thread_, nullptr);
    close(listener_);
}

std::string PlainServer::url() const {
    return "http://127.0.0.1:" + std::to_string(port_) + "/package";
}

void PlainServer::push(const test::HttpAnswer& answer) {
    std::string text = "HTTP/1.1 " + std::to_string(answer.status) + " Reason\r\n";
    for (const auto& [name, value] : answer.fields) text += name + ": " + value + "\r\n";
    text += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n\r\n";
    const size_t n = answer.lost_after.value_or(answer.body.size());
    text.append(answer.body.begin(), answer.body.begin() + static_cast<long>(n));
    pthread_mutex_lock(&lock_);
    answers_.push_back(text);
    pthread_mutex_unlock(&lock_);
}

bool PlainServer::take(const std::string& request, std::string& answer) {
    pthread_mutex_lock(&lock_);
    request_ = request;
    const bool has = !answers_.empty();
    if (has) {
        answer = answers_.front();
        answers_.pop_front();
    }
    pthread_mutex_unlock(&lock_);
    return has;
}

std::string PlainServer::seen_body() {
    pthread_mutex_lock(&lock_);
    const std::string body = request_.substr(request_.find("\r\n\r\n") + 4);
    pthread_mutex_unlock(&lock_);
    return body;
}

// A head, and as much of a body as it announces.
static bool is_whole(const std::string& request) {
    const size_t end = request.find("\r\n\r\n");
    if (end == std::string::npos) return false;
    const size_t length = request.find("Content-Length: ");
    if (length > end) return true;
    return request.size() - end - 4 >= std::stoul(request.substr(length + 16));
}

// The request is read to its end; what it says is the HTTPS source's affair.
void* PlainServer::serve(void* context) {
    auto& self = *static_cast<PlainServer*>(context);
    while (true) {
        const int peer = accept(self.listener_, nullptr, nullptr);
        if (peer < 0) return nullptr;
        std::string request;
        char byte = 0;
        while (!is_whole(request) && read(peer, &byte, 1) == 1) {
            request.push_back(byte);
        }
        std::string answer;
        if (self.take(request, answer))
            (void)send(peer, answer.data(), answer.size(), MSG_NOSIGNAL);
        close(peer);
    }
}
