// SPDX-License-Identifier: Apache-2.0
// Further names of devices, and the device lists of products, as an application sees them.
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "conformance/service.h"
#include "support/adding_model.h"
#include "support/client.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

std::vector<std::string> listDevices(const Client& client) {
    size_t count = 0;
    CallError error;
    const larodDevice** devices = larodListDevices(client.get(), &count, error);
    EXPECT_NE(devices, nullptr) << error.text();
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) {
        names.emplace_back(larodGetDeviceName(devices[i], nullptr));
        EXPECT_EQ(larodGetDevice(client.get(), names.back().c_str(), 0, nullptr), devices[i]);
    }
    return names;
}

void expectAdds(const Client& client, const char* device) {
    SCOPED_TRACE(device);
    const auto model = loadFile(client, device, addingModel());
    const auto inputs = allocTensors(client, model, Side::Inputs);
    const auto outputs = allocTensors(client, model, Side::Outputs);
    const float in[4] = {10, 20, 30, 40};
    std::vector<uint8_t> bytes(sizeof(in));
    std::memcpy(bytes.data(), in, sizeof(in));
    inputs.write(0, bytes);
    const auto failure = run(client, Request(model, inputs, outputs));
    ASSERT_FALSE(failure) << failure->text;
    float out[4] = {};
    std::memcpy(out, outputs.read(0).data(), sizeof(out));
    EXPECT_EQ(std::vector(out, out + 4), (std::vector<float>{11, 22, 33, 44}));
}

// A conversion that needs nothing which one of the products' devices lacks.
void describeConversion(Params& params, std::string_view device) {
    params.set("image.input.format", "nv12").set("image.input.size", 32, 4);
    params.set("image.output.format", device == "ambarella-cvflow-proc" ? "rgb-planar" : "rgb-interleaved");
    params.set("image.output.size", 32, 4);
}

LoadedModel loadConversion(const Client& client, const char* device) {
    Params params;
    describeConversion(params, device);
    return loadParams(client, device, params);
}

void expectConverts(const Client& client, const char* device) {
    SCOPED_TRACE(device);
    const auto model = loadConversion(client, device);
    const auto inputs = allocTensors(client, model, Side::Inputs);
    const auto outputs = allocTensors(client, model, Side::Outputs);
    inputs.write(0, std::vector<uint8_t>(32 * 6, 128));
    const auto failure = run(client, Request(model, inputs, outputs));
    ASSERT_FALSE(failure) << failure->text;
    for (const uint8_t value : outputs.read(0)) {
        EXPECT_NEAR(value, 130, 1);  // grey: luma 128 of the limited range
    }
}

class ConfigFile {
  public:
    explicit ConfigFile(const std::string& text) : path_(folder_.path() + "/larod.toml") {
        std::ofstream(path_) << text;
    }
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    TempDir folder_;
    std::string path_;
};

// ---- Aliases

class Aliases : public testing::Test {
  protected:
    ConfigFile config_{
        "[alias]\n"
        "axis-a8-dlpu-tflite = 'cpu-tflite'\n"
        "second-debug = 'debug-device'\n"
        "axis-ace-proc = 'cpu-proc'\n"};
    PrivateService service_{{"--config", config_.path(), "--job-limit", "300", "--threads", "1"}};
    Client client_;
};

TEST_F(Aliases, AreListedAfterTheDevicesInTheOrderOfTheFile) {
    EXPECT_EQ(listDevices(client_), (std::vector<std::string>{"cpu-tflite", "cpu-proc", "debug-device",
                                                              "axis-a8-dlpu-tflite", "second-debug", "axis-ace-proc"}));
    EXPECT_NE(service_.readyLine().find("debug-device, axis-a8-dlpu-tflite"), std::string::npos)
        << service_.readyLine();
}

TEST_F(Aliases, WorkAsTheDevicesDo) {
    expectAdds(client_, "cpu-tflite");
    expectAdds(client_, "axis-a8-dlpu-tflite");
    expectConverts(client_, "cpu-proc");
    expectConverts(client_, "axis-ace-proc");
}

TEST_F(Aliases, AreTheDevicesOfTheirModelsForEverybody) {
    const auto model = loadFile(client_, "axis-a8-dlpu-tflite", addingModel(), LAROD_ACCESS_PUBLIC);
    const Client other;
    CallError error;
    larodModel* seen = larodGetModel(other.get(), larodGetModelId(model.get(), nullptr), error);
    ASSERT_NE(seen, nullptr) << error.text();
    const LoadedModel theirs(seen);
    EXPECT_EQ(larodGetModelDevice(seen, nullptr), other.device("axis-a8-dlpu-tflite"));
    const auto inputs = allocTensors(other, theirs, Side::Inputs);
    const auto outputs = allocTensors(other, theirs, Side::Outputs);
    const auto failure = run(other, Request(theirs, inputs, outputs));
    EXPECT_FALSE(failure) << failure->text;
}

TEST_F(Aliases, ExportModelsWhereTheirDeviceDoes) {
    const std::vector<uint8_t> file = addingModel();
    const UniqueFd model = memoryFile(file);
    const UniqueFd output = memoryFile({});
    CallError error;
    EXPECT_TRUE(larodExportModel(client_.get(), model.get(), output.get(), client_.device("axis-a8-dlpu-tflite"),
                                 nullptr, error))
        << error.text();
    EXPECT_EQ(readFile("/proc/self/fd/" + std::to_string(output.get())), file);
    EXPECT_FALSE(
        larodExportModel(client_.get(), model.get(), output.get(), client_.device("axis-ace-proc"), nullptr, error));
    EXPECT_EQ(error.code(), EOPNOTSUPP);
}

// A job that never ends costs its session only where another one waits for the same turn.
TEST_F(Aliases, TakeTheTurnOfTheirDevice) {
    const Client hanging;
    const WatchedJob endless(hanging, actingModel(hanging, "hang"));
    std::optional<Failure> failure;
    std::atomic<bool> ended = false;
    std::thread thread([&] {
        failure = run(hanging, endless.request);
        ended = true;
    });
    ASSERT_TRUE(endless.waitForStart());
    const Job job(client_, loadParams(client_, "second-debug", Params()));
    expectRuns(client_, job.request);
    if (!eventually([&] { return ended.load(); })) {
        service_.signal(SIGKILL);
        service_.wait();
    }
    thread.join();
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->code, LAROD_ERROR_CONNECTION);
    EXPECT_NE(failure->text.find("debug-device"), std::string::npos) << failure->text;
}

// ---- Profiles

struct Product {
    const char* profile;
    std::vector<std::string> devices;
};

class Profiles : public testing::TestWithParam<Product> {};

TEST_P(Profiles, ListTheProductsDevicesInItsOrderAndEachRuns) {
    const PrivateService service({"--profile", GetParam().profile, "--threads", "1"});
    const Client client;
    EXPECT_EQ(listDevices(client), GetParam().devices);
    for (const std::string& device : GetParam().devices) {
        if (device.ends_with("-proc")) {
            expectConverts(client, device.c_str());
        } else {
            expectAdds(client, device.c_str());
        }
    }
    CallError error;
    EXPECT_EQ(larodGetDevice(client.get(), "debug-device", 0, error), nullptr) << "no product lists it";
    EXPECT_NE(service.log().find(std::string("profile ") + GetParam().profile + ": cpu-"), std::string::npos)
        << service.log();
}

// devices.md 3.3.
INSTANTIATE_TEST_SUITE_P(
    Products, Profiles,
    testing::Values(Product{"artpec8",
                            {"cpu-tflite", "axis-ace-proc", "cpu-proc", "axis-a8-dlpu-tflite", "axis-a8-dlpu-native",
                             "axis-a8-dlpu-proc", "axis-a8-gpu-proc"}},
                    Product{"artpec9",
                            {"cpu-tflite", "a9-dlpu-native", "armnn-cpu-tflite", "cpu-proc", "a9-dlpu-tflite",
                             "a9-gpu-proc"}},
                    Product{"artpec7-tpu",
                            {"axis-a7-gpu-tflite", "cpu-tflite", "google-edge-tpu-tflite", "axis-ace-proc", "cpu-proc",
                             "axis-a7-gpu-proc"}},
                    Product{"cv25", {"ambarella-cvflow", "ambarella-cvflow-proc", "cpu-tflite", "cpu-proc"}}),
    [](const auto& product) {
        std::string name = product.param.profile;
        std::erase(name, '-');
        return name;
    });

TEST(Profile, ShowsALimitOfImagesAtLoad) {
    const PrivateService service({"--profile", "artpec8"});
    const Client client;
    Params scaling;
    describeConversion(scaling, "axis-ace-proc");
    scaling.set("image.output.size", 16, 4);
    const Failure failure = loadFailure(client, "axis-ace-proc", -1, &scaling);
    EXPECT_EQ(failure.code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_NE(failure.text.find("axis-ace-proc"), std::string::npos) << failure.text;
    EXPECT_NE(loadParams(client, "cpu-proc", scaling).get(), nullptr);
}

TEST(Profile, ShowsALimitOfImagesAtAJob) {
    const PrivateService service({"--profile", "artpec8"});
    const Client client;
    const auto model = loadConversion(client, "axis-ace-proc");
    const auto inputs = allocTensors(client, model, Side::Inputs);
    const auto outputs = allocTensors(client, model, Side::Outputs);
    Params crop;
    crop.set("image.input.crop", 0, 0, 16, 4);
    const auto failure = run(client, Request(model, inputs, outputs, &crop));
    ASSERT_TRUE(failure);
    EXPECT_NE(failure->text.find("axis-ace-proc"), std::string::npos) << failure->text;
}

TEST(Profile, ShowsTheFdPropertiesOfItsDevices) {
    const PrivateService service({"--profile", "artpec7-tpu"});
    const Client client;
    for (const char* device : {"axis-a7-gpu-proc", "cpu-proc"}) {
        const auto model = loadConversion(client, device);
        std::vector<UniqueFd> fds;
        const auto inputs = ownTensors(client, model, Side::Inputs, fds, LAROD_FD_PROP_MAP);
        const auto outputs = ownTensors(client, model, Side::Outputs, fds);
        const auto failure = run(client, Request(model, inputs, outputs));
        EXPECT_EQ(failure ? failure->code : LAROD_ERROR_NONE,
                  device == std::string_view("cpu-proc") ? LAROD_ERROR_NONE : LAROD_ERROR_FD);
    }
}

TEST(Profile, TakesTheLoadParametersOfItsDevices) {
    const PrivateService service({"--profile", "artpec9"});
    const Client client;
    const UniqueFd file = memoryFile(addingModel());
    CallError error;
    Params params;
    params.set("disable-winograd", 1);
    const LoadedModel model(larodLoadModel(client.get(), file.get(), client.device("a9-dlpu-tflite"),
                                           LAROD_ACCESS_PRIVATE, "test", params.get(), error));
    EXPECT_NE(model.get(), nullptr) << error.text();
    Params wrong;
    wrong.set("disable-winograd", "yes");
    EXPECT_EQ(loadFailure(client, "a9-dlpu-tflite", file.get(), &wrong).code, LAROD_ERROR_LOAD_MODEL);
}

TEST(Profile, TakesAliasesOfItsDevicesAndOfHiddenOnes) {
    const ConfigFile config(
        "profile = 'cv25'\n"
        "[alias]\n"
        "mine = 'ambarella-cvflow'\n"
        "debug-device = 'debug-device'\n");
    const PrivateService service({"--config", config.path()});
    const Client client;
    EXPECT_EQ(listDevices(client), (std::vector<std::string>{"ambarella-cvflow", "ambarella-cvflow-proc", "cpu-tflite",
                                                             "cpu-proc", "mine", "debug-device"}));
    expectAdds(client, "mine");
    EXPECT_NE(loadParams(client, "debug-device", Params()).get(), nullptr);
}

}  // namespace
}  // namespace larod::test
