// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_device.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "base/error.h"
#include "base/log.h"
#include "device/v4l2/driver_thread.h"
#include "device/v4l2/v4l2_converter.h"
#include "device/v4l2/v4l2_own_buffers.h"

namespace larod::device {

namespace v4l2 {
namespace {

constexpr int kCode = LAROD_ERROR_LOAD_MODEL;
constexpr uint32_t kRun = LAROD_FD_PROP_READWRITE | LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;
constexpr uint32_t kAlloc = LAROD_FD_PROP_MAP | LAROD_FD_PROP_DMABUF;

// Beyond the limit of a job: the driver's own work, which takes no time worth speaking of.
constexpr uint64_t kDriverGraceMs = 500;

// What a model has in the driver; lives on the model's thread.
struct Opened {
    Opened(const proc::ProcParams& params, const Conversion& conversion, bool multiPlanar, uint64_t timeoutMs,
           std::unique_ptr<Node> jobs, std::unique_ptr<Node> buffers)
        : own(std::move(buffers), multiPlanar, conversion),
          converter(std::move(jobs), multiPlanar, conversion, params.crop, timeoutMs) {}

    OwnBuffers own;
    Converter converter;  // goes first: it uses the buffers
};

using SharedImage = std::shared_ptr<const ImageBuffer>;

// A thread that calls the driver, and what it calls it with.
class Driver {
  public:
    explicit Driver(uint64_t jobTimeoutMs) : limitMs_(jobTimeoutMs + kDriverGraceMs) {}

    // The first of all. Throws Error(LAROD_ERROR_LOAD_MODEL).
    void open(std::function<std::shared_ptr<Opened>()> open) {
        const auto opened = std::make_shared<Opened*>(nullptr);
        thread_.call(
            [opened, open = std::move(open)](std::shared_ptr<void>& owned) {
                auto made = open();
                *opened = made.get();
                owned = std::move(made);
            },
            limitMs_, LAROD_ERROR_LOAD_MODEL);
        opened_ = *opened;
    }

    // Has that end on the thread.
    void drop(std::shared_ptr<void> object) {
        thread_.post([object = std::move(object)](auto& /*owned*/) {});
    }

    // What may be asked of it by any thread: windows.
    [[nodiscard]] const Converter& converter() const noexcept { return opened_->converter; }

    // Throws Error(LAROD_ERROR_FD) where it is about this buffer.
    void attach(Direction direction, const SharedImage& image) {
        const auto attached = std::make_shared<bool>(false);  // the thread's
        try {
            thread_.call(
                [opened = opened_, direction, image, attached](auto& /*owned*/) {
                    opened->converter.attach(direction, *image);
                    *attached = true;
                },
                limitMs_, LAROD_ERROR_JOB);
        } catch (const Error&) {
            // Where the driver has kept us waiting, it takes the buffer later, and nobody else would let go of it.
            thread_.post([opened = opened_, direction, image, attached](auto& /*owned*/) {
                if (*attached) {
                    opened->converter.detach(direction, image->identity);
                }
            });
            throw;
        }
    }
    void detach(Direction direction, const SharedImage& image) {
        thread_.post([opened = opened_, direction, image](auto& /*owned*/) {
            opened->converter.detach(direction, image->identity);
        });
    }
    [[nodiscard]] std::shared_ptr<OwnBuffer> ownBuffer(Direction direction) {
        const auto result = std::make_shared<std::shared_ptr<OwnBuffer>>();
        thread_.call([opened = opened_, direction,
                      result](auto& /*owned*/) { *result = opened->own.get(direction, opened->converter); },
                     limitMs_, LAROD_ERROR_JOB);
        return std::move(*result);
    }
    void run(const proc::Crop& crop, const SharedImage& input, const SharedImage& output) {
        thread_.call(
            [opened = opened_, crop, input, output](auto& /*owned*/) { opened->converter.run(crop, *input, *output); },
            limitMs_, LAROD_ERROR_JOB);
    }

  private:
    const uint64_t limitMs_;
    DriverThread thread_;
    Opened* opened_ = nullptr;  // the thread's
};

// One place of one model: a dma-buf that the hardware uses, or memory that is copied through a buffer of its own.
class ImageBinding final : public Binding {
  public:
    ImageBinding(Driver& driver, Direction direction, SharedImage image)
        : driver_(driver), direction_(direction), image_(std::move(image)) {
        driver_.attach(direction_, image_);
    }
    ImageBinding(Driver& driver, Direction direction, std::span<std::byte> memory)
        : driver_(driver), direction_(direction), own_(driver.ownBuffer(direction)), memory_(memory) {
        image_ = own_->image();
    }
    ~ImageBinding() override {
        if (!own_) {
            driver_.detach(direction_, image_);
        }
    }

    [[nodiscard]] const SharedImage& image() const noexcept { return image_; }
    [[nodiscard]] OwnBuffer* own() const noexcept { return own_.get(); }  // nullptr: the tensor's own dma-buf
    [[nodiscard]] std::span<std::byte> memory() const noexcept { return memory_; }

  private:
    Driver& driver_;
    const Direction direction_;
    const std::shared_ptr<OwnBuffer> own_;
    SharedImage image_;
    const std::span<std::byte> memory_;
};

class V4l2Model final : public LoadedModel {
  public:
    V4l2Model(const proc::ProcParams& params, std::unique_ptr<Driver> driver)
        : params_(params), driver_(std::move(driver)) {
        inputs_.push_back(proc::tensorSpec(params.input, "input"));
        outputs_.push_back(proc::tensorSpec(params.output, "output"));
    }

    [[nodiscard]] std::unique_ptr<Binding> bind(Direction direction, size_t /*index*/,
                                                std::span<std::byte> memory) override {
        return std::make_unique<ImageBinding>(*driver_, direction, memory);
    }

    [[nodiscard]] std::unique_ptr<Binding> bindDmaBuf(Direction direction, size_t /*index*/,
                                                      const DmaBuf& buffer) override {
        if (buffer.offset != 0) {
            throw Error(LAROD_ERROR_FD, "the hardware takes dma-bufs from their beginning, and the fd offset is {}",
                        buffer.offset);
        }
        // An own descriptor: a driver that keeps us waiting looks at the number when the client has closed it.
        UniqueFd fd(::fcntl(buffer.fd, F_DUPFD_CLOEXEC, 0));
        if (!fd) {
            throw Error(LAROD_ERROR_FD, "there is no descriptor for the dma-buf: {}", errnoText(errno));
        }
        const buffer::FileIdentity identity = buffer::fileIdentity(fd.get());
        return std::make_unique<ImageBinding>(
            *driver_, direction, std::make_shared<const ImageBuffer>(ImageBuffer{std::move(fd), identity}));
    }

    void checkParams(const ParamMap& params) const override {
        const proc::Crop crop = cropOf(params);
        if (const auto reason = driver_->converter().cropRefusal(crop)) {
            throw Error(LAROD_ERROR_JOB, "parameter 'image.input.crop': {}", *reason);
        }
    }

    void run(const JobIo& job) override {
        const auto& input = static_cast<const ImageBinding&>(*job.inputs[0]);
        const auto& output = static_cast<const ImageBinding&>(*job.outputs[0]);
        if (input.own() != nullptr) {
            input.own()->write(input.memory());
        }
        driver_->run(cropOf(job.params), input.image(), output.image());
        if (output.own() != nullptr) {
            const proc::ImageSpec& image = params_.output;
            output.own()->read(output.memory(), proc::unpaddedRow(image.format, image.type, image.width), image.pitch);
        }
    }

  private:
    [[nodiscard]] proc::Crop cropOf(const ParamMap& params) const {
        return proc::parseCrop(params, params_.input, LAROD_ERROR_JOB).value_or(params_.crop);
    }

    const proc::ProcParams params_;
    const std::unique_ptr<Driver> driver_;
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
        auto driver = std::make_unique<Driver>(jobTimeoutMs_);
        auto nodes = std::make_shared<Nodes>();  // closed by the thread, too
        try {
            nodes->jobs = maker_(source.openNode());
            nodes->buffers = maker_(source.openNode());
        } catch (...) {
            driver->drop(std::move(nodes));
            throw;
        }
        driver->open([nodes = std::move(nodes), params, conversion, info = info_, timeoutMs = jobTimeoutMs_] {
            checkSame(*nodes->jobs, info);
            checkSame(*nodes->buffers, info);
            return std::make_shared<Opened>(params, conversion, info.multiPlanar, timeoutMs, std::move(nodes->jobs),
                                            std::move(nodes->buffers));
        });
        return std::make_unique<V4l2Model>(params, std::move(driver));
    }

  private:
    struct Nodes {
        std::unique_ptr<Node> jobs;
        std::unique_ptr<Node> buffers;
    };

    static void checkSame(Node& node, const NodeInfo& info) {
        const NodeInfo now = probe(node, info.path);
        if (now.driver != info.driver || now.bus != info.bus || now.multiPlanar != info.multiPlanar) {
            throw Error(kCode, "{} is no longer {} on {}, but {} on {}: start the service again", info.path,
                        info.driver, info.bus, now.driver, now.bus);
        }
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
