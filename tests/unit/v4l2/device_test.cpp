// SPDX-License-Identifier: Apache-2.0
#include "device/v4l2/v4l2_device.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "conversion.h"

namespace larod::device::v4l2 {
namespace {

ParamMap params(int64_t inWidth, int64_t inHeight, int64_t outWidth, int64_t outHeight) {
    ParamMap map;
    map.set("image.input.format", std::string("rgb-interleaved"));
    map.set("image.input.size", std::array<int64_t, 2>{inWidth, inHeight});
    map.set("image.output.format", std::string("rgb-interleaved"));
    map.set("image.output.size", std::array<int64_t, 2>{outWidth, outHeight});
    return map;
}

// A device on made-up hardware.
struct DeviceCase {
    DeviceCase() { hardware.userCalled = false; }
    ~DeviceCase() {
        hardware.unlock();
        hardware.answer();
        hardware.waitForAllToClose();
    }
    DeviceCase(const DeviceCase&) = delete;
    DeviceCase& operator=(const DeviceCase&) = delete;
    std::unique_ptr<LoadedModel> load(const ParamMap& map) const {
        ModelSource source;
        source.params = &map;
        source.openNode = [] { return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)); };
        return device->load(source, 1);
    }
    [[nodiscard]] std::string loadError(const ParamMap& map) const {
        return errorOf(LAROD_ERROR_LOAD_MODEL, [&] { (void)load(map); });
    }

    FakeHardware hardware;
    std::unique_ptr<Device> device = makeDevice(probe(*hardware.open(), "/dev/video7"), 3, kTimeoutMs,
                                                [this](const UniqueFd& /*fd*/) { return hardware.open(); });
};

std::vector<std::byte> gradient(size_t bytes) {
    std::vector<std::byte> data(bytes);
    for (size_t i = 0; i < bytes; ++i) {
        data[i] = static_cast<std::byte>(i * 7 + i / 251);
    }
    return data;
}

// The nearest pixels of 64x64 in 32x32, with that row pitch.
std::vector<std::byte> halved(const std::vector<std::byte>& input, size_t pitch, std::byte padding) {
    std::vector<std::byte> output(pitch * 32, padding);
    for (size_t y = 0; y < 32; ++y) {
        for (size_t x = 0; x < 32; ++x) {
            std::copy_n(input.begin() + static_cast<std::ptrdiff_t>(y * 2 * 192 + x * 6), 3,
                        output.begin() + static_cast<std::ptrdiff_t>(y * pitch + x * 3));
        }
    }
    return output;
}

void run(LoadedModel& model, Binding& input, Binding& output, const ParamMap& map = {}) {
    Binding* const inputs[] = {&input};
    Binding* const outputs[] = {&output};
    model.checkParams(map);
    model.run({inputs, outputs, map});
}

TEST(V4l2Device, IsAnInstanceOfV4l2ProcThatTakesDmaBufsItself) {
    const DeviceCase with;
    EXPECT_EQ(with.device->name(), "v4l2-proc");
    EXPECT_EQ(with.device->instance(), 3U);
    EXPECT_EQ(with.device->node(), "/dev/video7");
    EXPECT_FALSE(with.device->takesFile());
    const Capabilities able = with.device->capabilities();
    EXPECT_TRUE(able.native);
    EXPECT_FALSE(able.dmaBufOffset);
    EXPECT_EQ(able.runInput & LAROD_FD_PROP_DMABUF, LAROD_FD_PROP_DMABUF);
    EXPECT_EQ(able.allocOutput & LAROD_FD_PROP_DMABUF, LAROD_FD_PROP_DMABUF);
}

TEST(V4l2Device, HasTheTensorsOfItsImages) {
    const DeviceCase with;
    const auto model = with.load(params(64, 64, 32, 32));
    ASSERT_EQ(model->inputs().size(), 1U);
    EXPECT_EQ(model->inputs()[0].byteSize(), 12'288U);
    EXPECT_EQ(model->inputs()[0].layout, LAROD_TENSOR_LAYOUT_NHWC);
    ASSERT_EQ(model->outputs().size(), 1U);
    EXPECT_EQ(model->outputs()[0].byteSize(), 3'072U);
}

TEST(V4l2Device, ConvertsMemoryThroughBuffersOfTheHardware) {
    const DeviceCase with;
    const auto model = with.load(params(64, 64, 32, 32));
    auto input = gradient(12'288);
    std::vector<std::byte> output(3'072);
    const auto in = model->bind(Direction::Input, 0, input);
    const auto out = model->bind(Direction::Output, 0, output);
    run(*model, *in, *out);
    EXPECT_EQ(output, halved(input, 96, std::byte{0}));
}

TEST(V4l2Device, LeavesThePaddingOfMemoryAsItIs) {
    const DeviceCase with;
    ParamMap map = params(64, 64, 32, 32);
    map.set("image.output.row-pitch", int64_t{128});
    const auto model = with.load(map);
    auto input = gradient(12'288);
    std::vector<std::byte> output(128 * 32, std::byte{0x55});
    const auto in = model->bind(Direction::Input, 0, input);
    const auto out = model->bind(Direction::Output, 0, output);
    run(*model, *in, *out);
    EXPECT_EQ(output, halved(input, 128, std::byte{0x55}));
}

TEST(V4l2Device, TakesDmaBufsAndMemoryInAnyMix) {
    const DeviceCase with;
    const auto model = with.load(params(64, 64, 32, 32));
    auto input = gradient(12'288);
    std::vector<std::byte> output(3'072);
    const UniqueFd inFile = makeMemory(12'288);
    const UniqueFd outFile = makeMemory(4'096);
    ASSERT_EQ(::pwrite(inFile.get(), input.data(), input.size(), 0), 12'288);
    for (const bool nativeIn : {false, true}) {
        for (const bool nativeOut : {false, true}) {
            std::ranges::fill(output, std::byte{0});
            (void)!::pwrite(outFile.get(), output.data(), output.size(), 0);
            const auto in = nativeIn ? model->bindDmaBuf(Direction::Input, 0, {inFile.get(), 0, 12'288})
                                     : model->bind(Direction::Input, 0, input);
            const auto out = nativeOut ? model->bindDmaBuf(Direction::Output, 0, {outFile.get(), 0, 4'096})
                                       : model->bind(Direction::Output, 0, output);
            run(*model, *in, *out);
            if (nativeOut) {
                (void)!::pread(outFile.get(), output.data(), output.size(), 0);
            }
            EXPECT_EQ(output, halved(input, 96, std::byte{0})) << nativeIn << nativeOut;
        }
    }
}

TEST(V4l2Device, MakesNoBuffersOfItsOwnForDmaBufs) {
    DeviceCase with;
    const auto model = with.load(params(64, 64, 32, 32));
    const UniqueFd inFile = makeMemory(12'288);
    const UniqueFd outFile = makeMemory(3'072);
    with.hardware.requests.clear();
    const auto in = model->bindDmaBuf(Direction::Input, 0, {inFile.get(), 0, 12'288});
    const auto out = model->bindDmaBuf(Direction::Output, 0, {outFile.get(), 0, 3'072});
    run(*model, *in, *out);
    EXPECT_EQ(std::ranges::count(with.hardware.requests, "REQBUFS"), 0);
    EXPECT_EQ(with.hardware.held().size(), 2U);
}

TEST(V4l2Device, RefusesAnOffsetInADmaBuf) {
    const DeviceCase with;
    const auto model = with.load(params(64, 64, 32, 32));
    const UniqueFd file = makeMemory(20'000);
    EXPECT_EQ(errorOf(LAROD_ERROR_FD,
                      [&] {
                          (void)model->bindDmaBuf(Direction::Input, 0, {file.get(), 4'096, 20'000});
                      }),
              "the hardware takes dma-bufs from their beginning, and the fd offset is 4096");
}

TEST(V4l2Device, RefusesWhatOnlyTheCpuDoes) {
    const DeviceCase with;
    ParamMap map = params(64, 64, 32, 32);
    map.set("image.output.filter", std::string("box"));
    EXPECT_NE(with.loadError(map).find("'image.output.filter'"), std::string::npos);
    map = params(64, 64, 32, 32);
    map.set("image.output.type", std::string("float32"));
    EXPECT_NE(with.loadError(map).find("'image.output.type'"), std::string::npos);
}

TEST(V4l2Device, ChecksTheWindowOfAJobBeforeItIsQueued) {
    DeviceCase with;
    with.hardware.traits.windows = Windows::None;
    const auto model = with.load(params(64, 64, 32, 32));
    ParamMap window;
    window.set("image.input.crop", std::array<int64_t, 4>{0, 0, 32, 64});
    EXPECT_NE(errorOf(LAROD_ERROR_JOB, [&] { model->checkParams(window); }).find("no windows"), std::string::npos);
    window.set("image.input.crop", std::array<int64_t, 4>{0, 0, 64, 64});
    EXPECT_NO_THROW(model->checkParams(window));
    window.set("image.input.crop", std::array<int64_t, 4>{0, 0, 64, 65});
    EXPECT_NE(errorOf(LAROD_ERROR_JOB, [&] { model->checkParams(window); }).find("inside the 64x64"),
              std::string::npos);
}

TEST(V4l2Device, RefusesANodeThatHasBecomeAnother) {
    DeviceCase with;
    with.hardware.traits.multiPlanar = true;
    EXPECT_NE(with.loadError(params(64, 64, 32, 32)).find("is no longer fake"), std::string::npos);
}

// A model with a dma-buf for each of its images.
struct NativeModel {
    explicit NativeModel(const DeviceCase& with) : model(with.load(params(64, 64, 32, 32))) {}

    void run() const { v4l2::run(*model, *in, *out); }
    [[nodiscard]] std::string error() const {
        return errorOf(LAROD_ERROR_JOB, [this] { run(); });
    }

    const std::unique_ptr<LoadedModel> model;
    const UniqueFd inFile = makeMemory(12'288);
    const UniqueFd outFile = makeMemory(3'072);
    const std::unique_ptr<Binding> in = model->bindDmaBuf(Direction::Input, 0, {inFile.get(), 0, 12'288});
    const std::unique_ptr<Binding> out = model->bindDmaBuf(Direction::Output, 0, {outFile.get(), 0, 3'072});
};

TEST(V4l2Driver, IsCalledByTheModelsThreadAlone) {
    const DeviceCase with;
    {
        const NativeModel native(with);
        native.run();
        auto input = gradient(12'288);
        std::vector<std::byte> output(3'072);
        const auto in = native.model->bind(Direction::Input, 0, input);
        const auto out = native.model->bind(Direction::Output, 0, output);
        run(*native.model, *in, *out);
    }
    EXPECT_NE(with.loadError(params(64, 64, 16, 16)).find("output image"), std::string::npos);
    EXPECT_FALSE(with.hardware.userCalled);
}

TEST(V4l2Driver, ThatDoesNotReturnFailsJobsInTimeAndLaterOnesAtOnce) {
    DeviceCase with;
    {
        const NativeModel native(with);
        with.hardware.lock();
        EXPECT_EQ(native.error(), "the driver has not returned within 2500 ms");
        EXPECT_EQ(native.error(), "the driver has not returned yet from an earlier call, which has taken too long");
        const UniqueFd file = makeMemory(12'288);
        EXPECT_NE(errorOf(LAROD_ERROR_JOB,
                          [&] {
                              (void)native.model->bindDmaBuf(Direction::Input, 0, {file.get(), 0, 12'288});
                          })
                      .find("has not returned yet"),
                  std::string::npos);
    }
    with.hardware.unlock(kTimeoutMs);
    with.hardware.waitForAllToClose();
    EXPECT_TRUE(with.hardware.jobs.empty()) << "nobody waits for it any more";
    EXPECT_FALSE(with.hardware.userCalled);
}

TEST(V4l2Driver, ThatReturnsLateIsUsedAgain) {
    DeviceCase with;
    const NativeModel native(with);
    with.hardware.lock();
    EXPECT_NE(native.error().find("has not returned within"), std::string::npos);
    with.hardware.unlock(kTimeoutMs);
    for (bool done = false; !done;) {
        try {
            native.run();
            done = true;
        } catch (const Error&) {
            std::this_thread::yield();
        }
    }
    EXPECT_EQ(with.hardware.jobs.size(), 1U);
}

TEST(V4l2Driver, ThatTakesABufferWhenNobodyWaitsForThatAnyMoreLetsGoOfIt) {
    DeviceCase with;
    const NativeModel native(with);
    const UniqueFd file = makeMemory(12'288);
    with.hardware.lock();
    const std::string late = errorOf(LAROD_ERROR_JOB, [&] {
        (void)native.model->bindDmaBuf(Direction::Input, 0, {file.get(), 0, 12'288});
    });
    EXPECT_EQ(late, "the driver has not returned within 2500 ms");
    with.hardware.unlock();
    for (bool done = false; !done;) {
        try {
            native.run();  // behind all that was to be done before
            done = true;
        } catch (const Error&) {
            std::this_thread::yield();
        }
    }
    const auto held = with.hardware.held();
    EXPECT_EQ(std::ranges::find(held, inodeOf(file.get())), held.end());
    EXPECT_NE(std::ranges::find(held, inodeOf(native.inFile.get())), held.end()) << "the job's own";
}

TEST(V4l2Driver, ThatDoesNotReturnFailsTheLoadInTime) {
    DeviceCase with;
    with.hardware.lock();
    EXPECT_EQ(with.loadError(params(64, 64, 32, 32)), "the driver has not returned within 2500 ms");
    with.hardware.unlock();
    with.hardware.waitForAllToClose();
    EXPECT_FALSE(with.hardware.userCalled);
}

TEST(V4l2Driver, KeepsAFileThatHangsFromNobodyElse) {
    DeviceCase with;
    ino_t written = 0;
    with.hardware.hang = true;
    {
        const NativeModel native(with);
        written = inodeOf(native.outFile.get());
        EXPECT_EQ(native.error(), "the hardware has not answered within 2000 ms");
    }
    const auto held = with.hardware.held();
    EXPECT_NE(std::ranges::find(held, written), held.end()) << "the hardware may still write it";
    with.hardware.answer();
    with.hardware.waitForAllToClose();
    EXPECT_FALSE(with.hardware.userWaited);
}

TEST(V4l2Devices, NodesThatAreMissingOrNoConvertersBecomeNone) {
    V4l2Choice choice;
    choice.search = false;
    EXPECT_TRUE(makeV4l2Devices(choice).empty());
    choice.nodes = {"/dev/null", "/nowhere/video0"};
    EXPECT_TRUE(makeV4l2Devices(choice).empty());
}

}  // namespace
}  // namespace larod::device::v4l2
