// SPDX-License-Identifier: Apache-2.0
// What larod-client tells of a service: its status, its models, its sessions.
#include <gtest/gtest.h>
#include <unistd.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/tools/program.h"
#include "support/client.h"
#include "support/private_service.h"

namespace larod::test {
namespace {

using Json = nlohmann::json;

class LarodClientStatus : public testing::Test {
  protected:
    static Outcome run(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), LAROD_CLIENT_PATH);
        return runProgram({.arguments = std::move(arguments), .environment = {}});
    }

    static std::string tables() {
        const Outcome outcome = run({"--status"});
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        return outcome.out;
    }

    static Json json() {
        const Outcome outcome = run({"--status", "--json"});
        EXPECT_EQ(outcome.exitStatus, 0) << outcome.err;
        return Json::parse(outcome.out);
    }

    // The session of this process; null where there is none.
    static Json ownSession(const Json& status) {
        for (const Json& session : status["sessions"]) {
            if (session["pid"] == ::getpid()) {
                return session;
            }
        }
        return nullptr;
    }

    // A debug-device model that echoes 16 bytes.
    static LoadedModel echo(const Client& client, larodAccess access, const char* name) {
        Params params;
        params.set("debug.input.0", "uint8:16").set("debug.output.0", "uint8:16");
        CallError error;
        LoadedModel model(
            larodLoadModel(client.get(), -1, client.device("debug-device"), access, name, params.get(), error));
        EXPECT_NE(model.get(), nullptr) << error.text();
        return model;
    }

    // With other options.
    void restart(std::vector<std::string> options) {
        service_.reset();
        service_ = std::make_unique<PrivateService>(std::move(options));
    }

  private:
    std::unique_ptr<PrivateService> service_ = std::make_unique<PrivateService>();
};

TEST_F(LarodClientStatus, TellsOfASessionItsJobsAndItsMemory) {
    const Client client;
    const LoadedModel model = echo(client, LAROD_ACCESS_PRIVATE, "mine");
    const Tensors inputs = allocTensors(client, model, Side::Inputs);
    const Tensors outputs = allocTensors(client, model, Side::Outputs);
    const Request request(model, inputs, outputs);
    ASSERT_FALSE(larod::test::run(client, request));
    ASSERT_FALSE(larod::test::run(client, request));

    const Json status = json();
    const Json session = ownSession(status);
    ASSERT_TRUE(session.is_object()) << status;
    EXPECT_EQ(session["state"], "open");
    EXPECT_EQ(session["uid"], ::getuid());
    EXPECT_NE(session["command"], "");
    EXPECT_EQ(session["jobs_done"], 2);
    EXPECT_EQ(session["jobs_failed"], 0);
    EXPECT_EQ(session["jobs_queued"], 0);
    EXPECT_EQ(session["tracked_tensors"], 2);
    EXPECT_EQ(session["tracked_bytes"], 32);
    EXPECT_EQ(session["allocated_bytes"], 32);
    EXPECT_GE(session["age_s"], session["device_time_s"]);
    EXPECT_GE(status["uptime_s"], session["age_s"]);
    EXPECT_GT(session["wait_time_s"], 0);
    EXPECT_GT(session["run_time_s"], 0);
    const double stages = session["bind_time_s"].get<double>() + session["run_time_s"].get<double>() +
                          session["sync_time_s"].get<double>();
    EXPECT_NEAR(stages, session["device_time_s"].get<double>(), 1e-8) << "they are its parts";

    ASSERT_EQ(status["models"].size(), 1U) << status;
    const Json& entry = status["models"][0];
    EXPECT_EQ(entry["name"], "mine");
    EXPECT_EQ(entry["device"], "debug-device");
    EXPECT_EQ(entry["access"], "private");
    EXPECT_EQ(entry["session"], session["id"]);
    EXPECT_EQ(entry["used_by"], 1);

    bool held = false;
    for (const Json& device : status["devices"]) {
        held = held || (device["name"] == "debug-device" && device["holder"] == session["id"]);
        EXPECT_EQ(device["waiting"], 0);
    }
    EXPECT_TRUE(held) << "nobody else asked for it: " << status;
}

TEST_F(LarodClientStatus, CountsAJobThatFailed) {
    const Client client;
    Params params;
    params.set("debug.input.0", "uint8:16").set("debug.job.1", "fail");
    const LoadedModel model = loadParams(client, "debug-device", params);
    const Tensors inputs = allocTensors(client, model, Side::Inputs);
    const Tensors outputs = allocTensors(client, model, Side::Outputs);
    const Request request(model, inputs, outputs);
    ASSERT_TRUE(larod::test::run(client, request));
    const Json session = ownSession(json());
    EXPECT_EQ(session["jobs_failed"], 1);
    EXPECT_EQ(session["jobs_done"], 0);
}

TEST_F(LarodClientStatus, KeepsAModelWhoseSessionHasEnded) {
    {
        const Client client;
        static_cast<void>(echo(client, LAROD_ACCESS_PUBLIC, "stays"));
        static_cast<void>(echo(client, LAROD_ACCESS_PRIVATE, "goes"));
    }
    Json status;
    ASSERT_TRUE(eventually([&] { return (status = json())["models"].size() == 1; })) << status;
    EXPECT_EQ(status["models"][0]["name"], "stays");
    EXPECT_EQ(status["models"][0]["session"], nullptr);
    EXPECT_EQ(status["models"][0]["used_by"], 0);
}

TEST_F(LarodClientStatus, ListsMoreModelsThanFitIntoOneAnswer) {
    const Client client;
    const std::string name(4000, 'n');
    for (int i = 0; i < 40; ++i) {
        static_cast<void>(echo(client, LAROD_ACCESS_PUBLIC, (name + std::to_string(i)).c_str()));
    }
    const Json status = json();
    ASSERT_EQ(status["models"].size(), 40U);
    for (size_t i = 0; i < 40; ++i) {
        EXPECT_EQ(status["models"][i]["name"], name + std::to_string(i));
    }
    EXPECT_TRUE(ownSession(status).is_object());
    EXPECT_EQ(status["sessions"].size(), 2U) << "this one's and the tool's, once each";
}

TEST_F(LarodClientStatus, WritesNoControlCharacterOfAName) {
    const Client client;
    static_cast<void>(echo(client, LAROD_ACCESS_PRIVATE, "red\x1b[31m\nline\xc2\x9b\xff \xe6\xa8\xa1\\"));
    const std::string text = tables();
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
    EXPECT_NE(text.find("red\\x1b[31m\\x0aline\\xc2\\x9b\\xff \xe6\xa8\xa1\\\\\n"), std::string::npos) << text;
    EXPECT_EQ(json()["models"][0]["name"], "red\x1b[31m\nline\xc2\x9b\xef\xbf\xbd \xe6\xa8\xa1\\");

    const Outcome list = run({"--list-models"});
    EXPECT_EQ(list.out.find('\x1b'), std::string::npos);
    EXPECT_NE(list.out.find("red\\x1b[31m\\x0aline"), std::string::npos) << list.out;
}

TEST_F(LarodClientStatus, LinesUpItsTables) {
    const Client client;
    static_cast<void>(echo(client, LAROD_ACCESS_PUBLIC, "model"));
    const std::string text = tables();
    EXPECT_NE(text.find("\n Device        Instance  Unit          Held by  Waiting\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\n debug-device         0  debug-device        -        0\n"), std::string::npos) << text;
    EXPECT_NE(text.find("\n     1  debug-device  public  "), std::string::npos) << text;
}

TEST_F(LarodClientStatus, ShowsTheTurnOfAUnitForEachOfItsDevices) {
    restart({"--profile", "cv25"});
    const Client client;
    Params params;
    params.set("image.input.format", "nv12").set("image.input.size", 8, 4);
    params.set("image.output.format", "rgb-interleaved").set("image.output.size", 8, 4);
    const LoadedModel model = loadParams(client, "cpu-proc", params);
    const Tensors inputs = allocTensors(client, model, Side::Inputs);
    const Tensors outputs = allocTensors(client, model, Side::Outputs);
    ASSERT_FALSE(larod::test::run(client, Request(model, inputs, outputs)));

    const Json status = json();
    const Json session = ownSession(status);
    ASSERT_EQ(status["devices"].size(), 4U) << status;
    for (const Json& device : status["devices"]) {
        const bool isImages = device["name"] == "ambarella-cvflow-proc" || device["name"] == "cpu-proc";
        EXPECT_EQ(device["unit"], isImages ? "cpu-proc" : "cpu-tflite") << device;
        EXPECT_EQ(device["unit_instance"], 0);
        EXPECT_EQ(device["holder"], isImages ? session["id"] : Json(nullptr)) << device;
    }
    EXPECT_NE(tables().find("\n ambarella-cvflow              0  cpu-tflite        -        0\n"), std::string::npos)
        << tables();
}

TEST_F(LarodClientStatus, ListsCountsAndDeletes) {
    const Client client;
    static_cast<void>(echo(client, LAROD_ACCESS_PUBLIC, "first"));
    static_cast<void>(echo(client, LAROD_ACCESS_PRIVATE, "second"));

    const Outcome list = run({"--list-models"});
    EXPECT_EQ(list.exitStatus, 0) << list.err;
    EXPECT_NE(list.out.find("\n  1  debug-device  public "), std::string::npos) << list.out;
    EXPECT_NE(list.out.find("\n  2  debug-device  private"), std::string::npos) << list.out;

    const Outcome count = run({"--num-sessions"});
    EXPECT_EQ(count.exitStatus, 0) << count.err;
    EXPECT_NE(count.out.find(" Sessions: 2\n"), std::string::npos) << count.out;

    const Outcome deleted = run({"--delete-model", "1"});
    EXPECT_EQ(deleted.exitStatus, 0) << deleted.err;
    EXPECT_NE(deleted.out.find(" Model 1 deleted\n"), std::string::npos) << deleted.out;
    const Outcome again = run({"--delete-model", "1"});
    EXPECT_EQ(again.exitStatus, 1);
    EXPECT_NE(again.err.find("Could not delete model 1: "), std::string::npos) << again.err;
    const Outcome others = run({"--delete-model", "2"});
    EXPECT_EQ(others.exitStatus, 1) << "it is private";
    EXPECT_NE(others.err.find("(-5)"), std::string::npos) << others.err;
}

TEST_F(LarodClientStatus, TakesOneThingToDo) {
    for (const std::vector<std::string>& arguments :
         std::vector<std::vector<std::string>>{{"--status", "-a"},
                                               {"--list-models", "--status"},
                                               {"--delete-model"},
                                               {"--delete-model", "x"},
                                               {"--json"},
                                               {"--list-models", "--json"}}) {
        EXPECT_EQ(run(arguments).exitStatus, 2);
    }
}

TEST_F(LarodClientStatus, SaysThatThereIsNoService) {
    const Outcome outcome = runProgram({.arguments = {LAROD_CLIENT_PATH, "--status", "--json"},
                                        .environment = {{"LAROD_SOCKET", "/nobody/listens.sock"}}});
    EXPECT_EQ(outcome.exitStatus, 1);
    EXPECT_EQ(outcome.out, "");
    EXPECT_NE(outcome.err.find("Could not read the status: "), std::string::npos) << outcome.err;
}

}  // namespace
}  // namespace larod::test
