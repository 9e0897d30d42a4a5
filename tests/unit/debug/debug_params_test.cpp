// SPDX-License-Identifier: Apache-2.0
// The grammar of debug-device's load parameters.
#include "device/debug/debug_params.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace larod::device::debug {
namespace {

DebugParams parse(std::initializer_list<std::pair<const char*, ParamValue>> entries) {
    ParamMap map;
    for (const auto& [key, value] : entries) {
        map.set(key, value);
    }
    return parseDebugParams(map);
}

DebugParams parse(const char* key, ParamValue value) {
    return parse({{key, std::move(value)}});
}

// The text of the error with which `key` = `value` is refused; empty where it is accepted.
std::string refusal(const std::string& key, ParamValue value) {
    try {
        (void)parse(key.c_str(), std::move(value));
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_LOAD_MODEL);
        EXPECT_NE(error.text().find(key), std::string::npos) << error.text();
        return error.text();
    }
    return "";
}

ParamValue text(const char* value) {
    return std::string(value);
}

ParamValue number(int64_t value) {
    return value;
}

TEST(DebugParams, EmptyMapIsOneByteInAndOneByteOut) {
    const DebugParams params = parse({});
    ASSERT_EQ(params.inputs.size(), 1U);
    ASSERT_EQ(params.outputs.size(), 1U);
    EXPECT_EQ(params.inputs[0].name, "input0");
    EXPECT_EQ(params.outputs[0].name, "output0");
    EXPECT_EQ(params.inputs[0].dataType, LAROD_TENSOR_DATA_TYPE_UINT8);
    EXPECT_EQ(dimsText(params.inputs[0].dims), "(1)");
    EXPECT_EQ(params.inputs[0].byteSize(), 1U);
    EXPECT_FALSE(params.echo);
    EXPECT_TRUE(params.delay.none());
    EXPECT_EQ(params.seed, 1U);
    EXPECT_TRUE(params.jobActions.empty());
    EXPECT_EQ(params.powerRefusals, 0U);
    EXPECT_FALSE(params.loadAction);
    EXPECT_EQ(params.loadPowerRefusals, 0U);
}

TEST(DebugParams, TensorHasTypeShapePitchesAndLayout) {
    const TensorSpec image = parse("debug.input.0", text("uint8:1x224x200x3")).inputs.at(0);
    EXPECT_EQ(image.dataType, LAROD_TENSOR_DATA_TYPE_UINT8);
    EXPECT_EQ(dimsText(image.dims), "(1, 224, 200, 3)");
    EXPECT_EQ(pitchesText(image.pitches), "(134400, 134400, 600, 3)");
    EXPECT_EQ(image.layout, LAROD_TENSOR_LAYOUT_NHWC);
    const TensorSpec scores = parse("debug.output.0", text("float32:2x10")).outputs.at(0);
    EXPECT_EQ(scores.dataType, LAROD_TENSOR_DATA_TYPE_FLOAT32);
    EXPECT_EQ(pitchesText(scores.pitches), "(80, 40)");
    EXPECT_EQ(scores.layout, LAROD_TENSOR_LAYOUT_UNSPECIFIED);
}

TEST(DebugParams, EveryDataTypeHasAName) {
    for (int type = LAROD_TENSOR_DATA_TYPE_UNSPECIFIED; type < LAROD_TENSOR_DATA_TYPE_MAX; ++type) {
        const auto dataType = static_cast<larodTensorDataType>(type);
        const std::string value = dataTypeName(dataType) + ":3";
        EXPECT_EQ(parse("debug.input.0", value).inputs.at(0).dataType, dataType) << value;
    }
}

TEST(DebugParams, NumberOfTensorsFollowsTheHighestIndex) {
    const DebugParams params = parse({{"debug.output.2", text("int16:4")}, {"debug.input.1", text("int8:2")}});
    ASSERT_EQ(params.inputs.size(), 2U);
    EXPECT_EQ(params.inputs[0].byteSize(), 1U);
    EXPECT_EQ(params.inputs[1].byteSize(), 2U);
    EXPECT_EQ(params.inputs[1].name, "input1");
    ASSERT_EQ(params.outputs.size(), 3U);
    EXPECT_EQ(params.outputs[2].byteSize(), 8U);
    EXPECT_EQ(params.outputs[1].byteSize(), 1U);
}

TEST(DebugParams, NumberOfTensorsCanBeGiven) {
    EXPECT_EQ(parse("debug.inputs", number(0)).inputs.size(), 0U);
    EXPECT_EQ(parse("debug.outputs", number(0)).outputs.size(), 0U);
    EXPECT_EQ(parse("debug.inputs", number(120)).inputs.size(), kMaxTensors);
    EXPECT_NE(refusal("debug.inputs", number(121)), "");
    EXPECT_NE(refusal("debug.outputs", number(-1)), "");
    EXPECT_EQ(parse({{"debug.inputs", number(3)}, {"debug.input.2", text("int8:2")}}).inputs.size(), 3U);
    EXPECT_THROW((void)parse({{"debug.inputs", number(2)}, {"debug.input.2", text("int8:2")}}), Error);
}

TEST(DebugParams, TensorIndexHasALimitAndOneSpelling) {
    EXPECT_EQ(parse("debug.input.119", text("int8:2")).inputs.size(), kMaxTensors);
    for (const char* key : {"debug.input.120", "debug.input.", "debug.input.-1", "debug.input.01", "debug.output.x",
                            "debug.output.99999999999999999999"}) {
        EXPECT_NE(refusal(key, text("int8:2")), "") << key;
    }
}

TEST(DebugParams, MalformedTensorsAreRefused) {
    for (const char* value :
         {"", "uint8", "uint8:", "uint8:0", "uint8:1x", "uint8:x1", "uint8:1x-2", "uint8:1x2 ", "UINT8:1", "invalid:1",
          ":1", "uint8:1:2", "uint8:99999999999999999999", "uint8:1x1x1x1x1x1x1x1x1x1x1x1x1"}) {
        const std::string error = refusal("debug.input.0", text(value));
        EXPECT_NE(error, "") << value;
    }
    EXPECT_EQ(parse("debug.input.0", text("uint8:1x1x1x1x1x1x1x1x1x1x1x1")).inputs.at(0).dims.len, 12U);
}

TEST(DebugParams, TensorSizeHasALimitAndDoesNotWrap) {
    EXPECT_EQ(parse("debug.input.0", text("uint8:1099511627776")).inputs.at(0).byteSize(), kMaxTensorBytes);
    EXPECT_NE(refusal("debug.input.0", text("uint8:1099511627777")), "");
    EXPECT_NE(refusal("debug.input.0", text("float64:4294967296x4294967296")), "");
    EXPECT_NE(refusal("debug.input.0", text("float64:2305843009213693952")), "");
}

TEST(DebugParams, DelayHasThreeForms) {
    using Kind = DelayDistribution::Kind;
    DelayDistribution delay = parse("debug.delay", number(250)).delay;
    EXPECT_EQ(delay.kind, Kind::Constant);
    EXPECT_EQ(delay.firstUs, 250U);
    delay = parse("debug.delay", text("constant:250")).delay;
    EXPECT_EQ(delay.kind, Kind::Constant);
    EXPECT_EQ(delay.firstUs, 250U);
    delay = parse("debug.delay", text("uniform:10:20")).delay;
    EXPECT_EQ(delay.kind, Kind::Uniform);
    EXPECT_EQ(delay.firstUs, 10U);
    EXPECT_EQ(delay.secondUs, 20U);
    delay = parse("debug.delay", text("exponential:30")).delay;
    EXPECT_EQ(delay.kind, Kind::Exponential);
    EXPECT_EQ(delay.firstUs, 30U);
    EXPECT_EQ(parse("debug.seed", number(-5)).seed, static_cast<uint64_t>(-5));
}

TEST(DebugParams, MalformedDelaysAreRefused) {
    EXPECT_EQ(parse("debug.delay", number(3'600'000'000)).delay.firstUs, kMaxDelayUs);
    EXPECT_NE(refusal("debug.delay", number(3'600'000'001)), "");
    EXPECT_NE(refusal("debug.delay", number(-1)), "");
    for (const char* value :
         {"", "5", "constant", "constant:", "constant:1:2", "uniform:1", "uniform:2:1", "uniform:1:2:3",
          "exponential:-1", "exponential:1.5", "exponential:3600000001", "gauss:1", "uniform:1:"}) {
        EXPECT_NE(refusal("debug.delay", text(value)), "") << value;
    }
    const std::array<int64_t, 2> pair{1, 2};
    EXPECT_NE(refusal("debug.delay", pair), "");
}

TEST(DebugParams, JobActionsAreSortedByNumber) {
    const DebugParams params = parse({{"debug.job.10", text("crash")},
                                      {"debug.job.9", text("fail")},
                                      {"debug.job.2", text("fail:-5")},
                                      {"debug.job.30", text("hang")},
                                      {"debug.job.20", text("abort")}});
    ASSERT_EQ(params.jobActions.size(), 5U);
    EXPECT_EQ(params.jobActions[0].job, 2U);
    EXPECT_EQ(params.jobActions[0].action.kind, Action::Kind::Fail);
    EXPECT_EQ(params.jobActions[0].action.code, LAROD_ERROR_PERMISSION);
    EXPECT_EQ(params.jobActions[1].job, 9U);
    EXPECT_EQ(params.jobActions[1].action.code, LAROD_ERROR_JOB);
    EXPECT_EQ(params.jobActions[2].action.kind, Action::Kind::Crash);
    EXPECT_EQ(params.jobActions[3].action.kind, Action::Kind::Abort);
    EXPECT_EQ(params.jobActions[4].action.kind, Action::Kind::Hang);
}

TEST(DebugParams, LoadActionFailsWithLoadErrorUnlessToldOtherwise) {
    EXPECT_EQ(parse("debug.load", text("fail")).loadAction->code, LAROD_ERROR_LOAD_MODEL);
    EXPECT_EQ(parse("debug.load", text("fail:12")).loadAction->code, 12);
    EXPECT_EQ(parse("debug.load", text("hang")).loadAction->kind, Action::Kind::Hang);
}

TEST(DebugParams, MalformedActionsAreRefused) {
    EXPECT_EQ(parse("debug.job.1", text("fail:-15")).jobActions.at(0).action.code, -15);
    EXPECT_EQ(parse("debug.job.1", text("fail:1024")).jobActions.at(0).action.code, 1024);
    for (const char* value : {"", "Fail", "fail:", "fail:0", "fail:-16", "fail:1025", "fail:x", "crash:1", "stop"}) {
        EXPECT_NE(refusal("debug.job.1", text(value)), "") << value;
        EXPECT_NE(refusal("debug.load", text(value)), "") << value;
    }
    for (const char* key : {"debug.job.0", "debug.job.", "debug.job.-1", "debug.job.01", "debug.job.first"}) {
        EXPECT_NE(refusal(key, text("fail")), "") << key;
    }
}

TEST(DebugParams, WrongTypesAreRefused) {
    for (const char* key : {"debug.inputs", "debug.outputs", "debug.echo", "debug.seed", "debug.power-refusals",
                            "debug.load.power-refusals"}) {
        EXPECT_NE(refusal(key, text("1")), "") << key;
    }
    for (const char* key : {"debug.input.0", "debug.output.0", "debug.job.1", "debug.load"}) {
        EXPECT_NE(refusal(key, number(1)), "") << key;
    }
}

TEST(DebugParams, WrongNumbersAreRefused) {
    EXPECT_NE(refusal("debug.echo", number(2)), "");
    EXPECT_NE(refusal("debug.echo", number(-1)), "");
    EXPECT_NE(refusal("debug.power-refusals", number(-1)), "");
    EXPECT_NE(refusal("debug.load.power-refusals", number(-1)), "");
}

TEST(DebugParams, EchoNeedsAnInput) {
    EXPECT_TRUE(parse("debug.echo", number(1)).echo);
    EXPECT_THROW((void)parse({{"debug.echo", number(1)}, {"debug.inputs", number(0)}}), Error);
}

TEST(DebugParams, TypingErrorsAreRefusedAndForeignKeysIgnored) {
    EXPECT_NE(refusal("debug.delays", number(1)), "");
    EXPECT_NE(refusal("debug.", number(1)), "");
    EXPECT_EQ(refusal("image.input.size", number(1)), "");
    EXPECT_EQ(refusal("debug", number(1)), "");
}

TEST(DebugParams, ErrorsNameKeyExpectedAndGiven) {
    EXPECT_EQ(refusal("debug.echo", number(7)), "map key 'debug.echo': expected an integer from 0 to 1, got 7");
    EXPECT_EQ(refusal("debug.load", number(7)),
              "map key 'debug.load': expected type string, but the value is of type integer");
}

}  // namespace
}  // namespace larod::device::debug
