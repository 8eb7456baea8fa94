// Real sockets on 127.0.0.1.
#include "posix/tcp_server.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "linux/clock_virtual.hpp"

namespace ota {
namespace {

class Peer {
  public:
    explicit Peer(uint16_t port) : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    }
    ~Peer() { close(socket_); }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    void send(std::string_view text) const {
        EXPECT_EQ(::send(socket_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    }
    // Empty: the other side has closed.
    std::string receive() const {
        std::array<char, 64> text{};
        const ssize_t count = recv(socket_, text.data(), text.size(), 0);
        return {text.data(), static_cast<size_t>(std::max<ssize_t>(count, 0))};
    }

  private:
    int socket_;
};

struct Server : testing::Test {
    void SetUp() override { ASSERT_TRUE(server.listen(0).ok()); }
    // What has come in a place within a second; "-": nobody is there.
    std::string read(size_t place) {
        std::array<uint8_t, 64> bytes;
        for (int i = 0; i < 1000; ++i) {
            const Result<size_t> count = server.read(place, bytes);
            if (count.ok() && *count != 0) {
                return {reinterpret_cast<const char*>(bytes.data()), *count};
            }
            usleep(1000);
        }
        return "-";
    }
    VirtualClock clock;
    TcpServer server{clock, "127.0.0.1"};
};

TEST_F(Server, PeersSitInPlacesAndAreAnsweredThere) {
    const Peer first(server.port());
    EXPECT_EQ(read(0), "-");
    const Peer second(server.port());
    first.send("one");
    second.send("two");
    EXPECT_EQ(read(0), "one");
    EXPECT_EQ(read(1), "two");
    EXPECT_TRUE(server.write(1, as_bytes("answer")).ok());
    EXPECT_EQ(second.receive(), "answer");
    server.drop(0);
    EXPECT_EQ(first.receive(), "");
    EXPECT_FALSE(server.write(0, as_bytes("answer")).ok());
}

TEST_F(Server, FifthPeerTakesThePlaceOfTheSilentOne) {
    std::vector<std::unique_ptr<Peer>> peers;
    for (size_t i = 0; i < StreamServer::kPlaces; ++i) {
        peers.push_back(std::make_unique<Peer>(server.port()));
        peers.back()->send("x");
        clock.advance(1000);
        EXPECT_EQ(read(i), "x");
    }
    clock.advance(1000);
    peers[0]->send("y");
    EXPECT_EQ(read(0), "y");
    const Peer fifth(server.port());
    fifth.send("five");
    std::array<uint8_t, 8> nothing;
    (void)server.read(0, nothing);                              // lets it in
    EXPECT_FALSE(server.write(1, as_bytes("an answer")).ok());  // to who sat there before
    EXPECT_EQ(read(1), "five");
    EXPECT_EQ(peers[1]->receive(), "");
}

TEST_F(Server, PortThatIsTakenIsSaid) {
    TcpServer other(clock, "127.0.0.1");
    const Status why = other.listen(server.port());
    EXPECT_EQ(why.detail(), Detail::kPortInUse);
    EXPECT_FALSE(TcpServer(clock, "not an address").listen(0).ok());
}

}  // namespace
}  // namespace ota
