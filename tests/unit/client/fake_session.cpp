// SPDX-License-Identifier: Apache-2.0
#include "unit/client/fake_session.h"

#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <cstring>

namespace larod::client::testing {
namespace {

wire::TensorInfo tensorInfo(const std::string& name, larodTensorDataType type, larodTensorLayout layout,
                            const std::vector<size_t>& dims) {
    wire::TensorInfo info;
    info.spec.name = name;
    info.spec.dataType = type;
    info.spec.layout = layout;
    info.spec.dims.len = dims.size();
    std::copy(dims.begin(), dims.end(), info.spec.dims.dims);
    info.spec.pitches = *unpaddedPitches(info.spec.dims, type);
    return info;
}

}  // namespace

wire::ModelInfo testModel() {
    wire::ModelInfo model;
    model.id = 7;
    model.device = 0;
    model.access = LAROD_ACCESS_PRIVATE;
    model.sizeBytes = 1000;
    model.name = "test model";
    model.inputs = {tensorInfo("in0", LAROD_TENSOR_DATA_TYPE_UINT8, LAROD_TENSOR_LAYOUT_NHWC, {1, 2, 3, 4}),
                    tensorInfo("in1", LAROD_TENSOR_DATA_TYPE_FLOAT32, LAROD_TENSOR_LAYOUT_UNSPECIFIED, {1, 5})};
    model.outputs = {tensorInfo("out", LAROD_TENSOR_DATA_TYPE_FLOAT32, LAROD_TENSOR_LAYOUT_UNSPECIFIED, {1, 10})};
    return model;
}

UniqueFd makeFile(size_t sizeBytes) {
    UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
    EXPECT_EQ(::ftruncate(fd.get(), static_cast<off_t>(sizeBytes)), 0);
    return fd;
}

void Peer::welcome() {
    const wire::Received received = channel_.receive(datagram_, wire::Wait::Yes);
    if (received != wire::Received::Message || !wire::decodeHello(datagram_.bytes())) {
        throw std::runtime_error("expected a Hello");
    }
    send(0, wire::Welcome{{{"first", 0}, {"first", 1}, {"second", 0}}});
}

wire::Header Peer::next() {
    switch (channel_.receive(datagram_, wire::Wait::Yes)) {
        case wire::Received::Message:
            break;
        case wire::Received::Closed:
            throw PeerClosed();
        default:
            throw std::runtime_error("no message");
    }
    return wire::decodeHeader(datagram_.bytes()).value();
}

void Peer::waitForClose() {
    while (channel_.receive(datagram_, wire::Wait::Yes) != wire::Received::Closed) {
    }
}

void Peer::waitUntilFull() {
    const size_t messageBytes = datagram_.bytes().size();
    const auto [sender, receiver] = wire::makeSocketPair();
    const std::vector<std::byte> message(messageBytes);
    int unreadWhenFull = 0;
    while (::send(sender.get(), message.data(), message.size(), MSG_DONTWAIT) > 0) {
        unreadWhenFull += static_cast<int>(messageBytes);
    }
    for (int unread = 0; unread < unreadWhenFull; ::sched_yield()) {
        if (::ioctl(channel_.fd(), FIONREAD, &unread) != 0) {
            throw std::runtime_error("FIONREAD");
        }
    }
}

void Peer::serve() {
    for (;;) {
        const wire::Header header = next();
        switch (header.type) {
            case wire::MessageType::Disconnect:
                send(header.requestId, wire::Done{});
                return;
            case wire::MessageType::GetNumSessions:
                send(header.requestId, wire::NumSessions{3});
                break;
            case wire::MessageType::LoadModel:
            case wire::MessageType::GetModel:
                send(header.requestId, wire::Model{testModel()});
                break;
            case wire::MessageType::AllocTensors: {
                const auto got = decode<wire::AllocTensors>(header);
                const bool inputs = got.message.direction == Direction::Input;
                const wire::ModelInfo model = testModel();
                wire::TensorsAllocated reply;
                std::vector<UniqueFd> files;
                std::vector<int> fds;
                for (const wire::TensorInfo& tensor : inputs ? model.inputs : model.outputs) {
                    files.push_back(makeFile(tensor.spec.byteSize()));
                    fds.push_back(files.back().get());
                    reply.tensors.push_back({nextTrackingId_++, tensor.spec.byteSize(), LAROD_FD_TYPE_DISK});
                }
                send(header.requestId, reply, fds);
                break;
            }
            case wire::MessageType::TrackTensor:
                send(header.requestId, wire::TensorTracked{nextTrackingId_++});
                break;
            default:
                send(header.requestId, wire::Done{});
                break;
        }
    }
}

FakeSession::FakeSession(std::vector<Script> scripts) {
    std::string pattern = (std::filesystem::temp_directory_path() / "larod-client-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw std::runtime_error("mkdtemp");
    }
    folder_ = pattern;
    const std::string path = folder_ / "socket";
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof(address.sun_path) - 1);
    listener_.reset(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
    if (::bind(listener_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 ||
        ::listen(listener_.get(), 8) != 0) {
        throw std::runtime_error("bind or listen");
    }
    ::setenv("LAROD_SOCKET", path.c_str(), 1);
    acceptor_ = std::thread([this, scripts = std::move(scripts)] {
        for (const Script& script : scripts) {
            UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            if (!socket) {
                return;  // the test is over
            }
            threads_.emplace_back([script, peer = std::make_unique<Peer>(std::move(socket))] {
                try {
                    script(*peer);
                } catch (const PeerClosed&) {
                } catch (const std::exception& error) {
                    ADD_FAILURE() << "the session's script: " << error.what();
                }
            });
        }
    });
}

FakeSession::~FakeSession() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) {
        thread.join();
    }
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

}  // namespace larod::client::testing
