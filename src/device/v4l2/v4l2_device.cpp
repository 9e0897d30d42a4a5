// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_device.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "device/v4l2/v4l2_converter.h"
#include "device/v4l2/v4l2_own_buffers.h"

namespace larod::device {

namespace v4l2 {
namespace {

constexpr int kCode = LAROD_ERROR_LOAD_MODEL;
constexpr uint32_t kRun = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;
constexpr uint32_t kAlloc = LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;

// One place of one model: a dma-buf that the hardware uses, or memory that is copied through a buffer of its own.
class ImageBinding final : public Binding {
  public:
    ImageBinding(Converter& converter, Direction direction, const ImageBuffer& image)
        : converter_(&converter), direction_(direction), image_(image) {
        converter.attach(direction, image);
    }
    ImageBinding(const ImageBuffer& own, std::span<std::byte> memory) : image_(own), memory_(memory) {}
    ~ImageBinding() override {
        if (converter_ != nullptr) {
            converter_->detach(direction_, image_.identity);
        }
    }

    [[nodiscard]] const ImageBuffer& image() const noexcept { return image_; }
    [[nodiscard]] bool native() const noexcept { return converter_ != nullptr; }
    [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }

  private:
    Converter* converter_ = nullptr;  // nullptr: not native
    Direction direction_ = Direction::Input;
    ImageBuffer image_;
    std::span<std::byte> memory_;
};

class V4l2Model final : public LoadedModel {
  public:
    V4l2Model(const proc::ProcParams& params, const Conversion& conversion, bool multiPlanar, uint64_t timeoutMs,
              std::unique_ptr<Node> jobs, std::unique_ptr<Node> buffers)
        : params_(params),
          own_(std::move(buffers), multiPlanar, conversion),
          converter_(std::move(jobs), multiPlanar, conversion, params.crop, timeoutMs) {
        inputs_.push_back(proc::tensorSpec(params.input, "input"));
        outputs_.push_back(proc::tensorSpec(params.output, "output"));
    }

    [[nodiscard]] std::unique_ptr<Binding> bind(Direction direction, size_t /*index*/,
                                                std::span<std::byte> memory) override {
        return std::make_unique<ImageBinding>(own_.get(direction, converter_), memory);
    }

    [[nodiscard]] std::unique_ptr<Binding> bindDmaBuf(Direction direction, size_t /*index*/,
                                                      const DmaBuf& buffer) override {
        if (buffer.offset != 0) {
            throw Error(LAROD_ERROR_FD, "the hardware takes dma-bufs from their beginning, and the fd offset is {}",
                        buffer.offset);
        }
        return std::make_unique<ImageBinding>(converter_, direction,
                                              ImageBuffer{buffer.fd, buffer::fileIdentity(buffer.fd)});
    }

    void checkParams(const ParamMap& params) const override {
        const proc::Crop crop = cropOf(params);
        if (const auto reason = converter_.cropRefusal(crop)) {
            throw Error(LAROD_ERROR_JOB, "parameter 'image.input.crop': {}", *reason);
        }
    }

    void run(const JobIo& job) override {
        const auto& input = static_cast<const ImageBinding&>(*job.inputs[0]);
        const auto& output = static_cast<const ImageBinding&>(*job.outputs[0]);
        if (!input.native()) {
            own_.write(input.memory());
        }
        converter_.run(cropOf(job.params), input.image(), output.image());
        if (!output.native()) {
            own_.read(output.memory(), proc::unpaddedRow(params_.output.format, params_.output.type,  //
                                                         params_.output.width));
        }
    }

  private:
    [[nodiscard]] proc::Crop cropOf(const ParamMap& params) const {
        return proc::parseCrop(params, params_.input, LAROD_ERROR_JOB).value_or(params_.crop);
    }

    const proc::ProcParams params_;
    OwnBuffers own_;
    Converter converter_;  // goes first: it uses the buffers
};

// What only the CPU does.
void refuseOurOwn(const ParamMap& params) {
    for (const char* key : {"image.output.filter", "image.output.type", "image.output.mean", "image.output.scale"}) {
        if (params.find(key) != nullptr) {
            throw Error(kCode,
                        "load parameter '{}': v4l2-proc converts as its hardware does, to uint8; cpu-proc has it", key);
        }
    }
}

class V4l2Device final : public Device {
  public:
    V4l2Device(NodeInfo info, uint32_t instance, uint64_t jobTimeoutMs, NodeMaker maker)
        : Device("v4l2-proc", instance),
          info_(std::move(info)),
          jobTimeoutMs_(jobTimeoutMs),
          maker_(std::move(maker)) {}

    [[nodiscard]] Capabilities capabilities() const noexcept override {
        return {kRun, kRun, kAlloc, kAlloc, false, true};
    }
    [[nodiscard]] bool takesFile() const noexcept override { return false; }
    [[nodiscard]] std::string node() const override { return info_.path; }
    [[nodiscard]] std::span<const unsigned long> nodeRequests() const noexcept override { return v4l2::nodeRequests(); }

    [[nodiscard]] std::unique_ptr<LoadedModel> load(const ModelSource& source, unsigned /*threads*/) override {
        if (source.params == nullptr) {
            throw Error(kCode,
                        "v4l2-proc: expected a map of load parameters (image.input.format, image.input.size, "
                        "image.output.format, image.output.size), got none");
        }
        refuseOurOwn(*source.params);
        const proc::ProcParams params = proc::parseProcParams(*source.params, true);  // sizes are the driver's matter
        if (!source.openNode) {
            throw Error(kCode, "v4l2-proc: there is nobody to open {}", info_.path);
        }
        const Conversion conversion = conversionOf(params, source.params->find("image.input.colorimetry") != nullptr);
        return std::make_unique<V4l2Model>(params, conversion, info_.multiPlanar, jobTimeoutMs_, openNode(source),
                                           openNode(source));
    }

  private:
    [[nodiscard]] std::unique_ptr<Node> openNode(const ModelSource& source) const {
        auto node = maker_(source.openNode());
        const NodeInfo now = probe(*node, info_.path);
        if (now.driver != info_.driver || now.bus != info_.bus || now.multiPlanar != info_.multiPlanar) {
            throw Error(kCode, "{} is no longer {} on {}, but {} on {}: start the service again", info_.path,
                        info_.driver, info_.bus, now.driver, now.bus);
        }
        return node;
    }

    const NodeInfo info_;
    const uint64_t jobTimeoutMs_;
    const NodeMaker maker_;
};

}  // namespace

std::unique_ptr<Device> makeDevice(NodeInfo info, uint32_t instance, uint64_t jobTimeoutMs, NodeMaker maker) {
    return std::make_unique<V4l2Device>(std::move(info), instance, jobTimeoutMs, std::move(maker));
}

}  // namespace v4l2

std::vector<std::unique_ptr<Device>> makeV4l2Devices(const V4l2Choice& choice) {
    const std::vector<std::string> paths = choice.search ? v4l2::videoNodes() : choice.nodes;
    std::vector<std::unique_ptr<Device>> devices;
    for (const std::string& path : paths) {
        if (devices.size() == kMaxV4l2Devices) {
            log::warn("{} and those behind it become no devices: there are {} v4l2-proc already", path, devices.size());
            break;
        }
        try {
            UniqueFd fd(::open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
            if (!fd) {
                throw Error(LAROD_ERROR_LOAD_MODEL, "can't open it: {}", errnoText(errno));
            }
            v4l2::NodeInfo info = v4l2::probe(*v4l2::makeNode(std::move(fd)), path);
            const auto instance = static_cast<uint32_t>(devices.size());
            log::info("v4l2-proc {} is {}: {} ({}, {})", instance, path, info.card, info.driver, info.bus);
            devices.push_back(v4l2::makeDevice(std::move(info), instance, choice.jobTimeoutMs));
        } catch (const Error& error) {
            const std::string text = fmt::format("{} does not become a device v4l2-proc: {}", path, error.text());
            choice.search ? log::debug("{}", text) : log::warn("{}", text);
        }
    }
    return devices;
}

}  // namespace larod::device
