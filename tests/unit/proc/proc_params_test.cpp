// SPDX-License-Identifier: Apache-2.0
// cpu-proc's load parameters, their errors, and the tensors that follow from them.
#include "device/image/proc_params.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "proc_job.h"

namespace larod::device::proc {
namespace {

// A valid description in which `entries` replace or add parameters.
ParamMap with(Entries entries) {
    ParamMap map = makeMap(entries);
    const std::pair<const char*, ParamValue> defaults[] = {{"image.input.format", text("nv12")},
                                                           {"image.input.size", size(64, 48)},
                                                           {"image.output.format", text("rgb-interleaved")},
                                                           {"image.output.size", size(32, 24)}};
    for (const auto& [key, value] : defaults) {
        if (map.find(key) == nullptr) {
            map.set(key, value);
        }
    }
    return map;
}

// The text with which the load is refused; empty where it is accepted.
std::string refusal(const ParamMap& map) {
    try {
        (void)parseProcParams(map);
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), LAROD_ERROR_LOAD_MODEL);
        EXPECT_NE(error.text(), "");
        return error.text();
    }
    return "";
}

std::string refusal(const char* key, ParamValue value) {
    const std::string error = refusal(with({{key, std::move(value)}}));
    EXPECT_TRUE(error.empty() || error.find(key) != std::string::npos) << error;
    return error;
}

TensorSpec specOf(const char* format, size_t width, size_t height, int64_t pitch, Direction direction) {
    const bool input = direction == Direction::Input;
    ParamMap map =
        input ? describe(format, width, height, "nv12", 2, 2) : describe("nv12", 2, 2, format, width, height);
    if (pitch != 0) {
        map.set(input ? "image.input.row-pitch" : "image.output.row-pitch", number(pitch));
    }
    const ProcParams params = parseProcParams(map);
    return tensorSpec(input ? params.input : params.output, "tensor");
}

TEST(ProcParams, MandatoryKeysAreMandatory) {
    const char* const keys[] = {"image.input.format", "image.input.size", "image.output.format", "image.output.size"};
    const ParamMap complete = with({});
    for (const char* missing : keys) {
        ParamMap map;
        for (const auto& [key, value] : complete.entries()) {
            if (key != missing) {
                map.set(key, value);
            }
        }
        const std::string error = refusal(map);
        EXPECT_NE(error.find(missing), std::string::npos) << missing << ": " << error;
    }
}

TEST(ProcParams, WrongTypesAreRefused) {
    for (const char* key : {"image.input.format", "image.output.format", "image.output.filter", "image.output.type",
                            "image.input.colorimetry"}) {
        EXPECT_NE(refusal(key, number(1)), "") << key;
    }
    for (const char* key : {"image.input.size", "image.output.size", "image.input.row-pitch", "image.output.row-pitch",
                            "image.input.crop"}) {
        EXPECT_NE(refusal(key, text("64,48")), "") << key;
    }
    EXPECT_EQ(refusal("image.input.size", text("64x48")),
              "map key 'image.input.size': expected type array of 2 integers, but the value is of type string");
}

TEST(ProcParams, FormatsAreExactAndCaseSensitive) {
    for (const char* format : {"nv12", "rgb-interleaved", "rgb-planar"}) {
        EXPECT_EQ(refusal("image.input.format", text(format)), "");
        EXPECT_EQ(refusal("image.output.format", text(format)), "");
    }
    for (const char* format : {"nv21", "i420", "yuyv", "uyvy", "gray", "bgr-interleaved", "rgba-interleaved"}) {
        EXPECT_EQ(refusal("image.input.format", text(format)), "") << format;
        EXPECT_NE(refusal("image.output.format", text(format)), "") << format;
    }
    for (const char* format : {"NV12", "nv12 ", "rgb", "YUYV", ""}) {
        EXPECT_NE(refusal("image.input.format", text(format)), "") << format;
        EXPECT_NE(refusal("image.output.format", text(format)), "") << format;
    }
}

TEST(ProcParams, SizesAreEvenAndLimited) {
    for (const char* key : {"image.input.size", "image.output.size"}) {
        EXPECT_EQ(refusal(key, size(2, 2)), "");
        EXPECT_EQ(refusal(key, size(8192, 8192)), "");
        EXPECT_EQ(refusal(key, size(kMaxExtent, kMaxExtent)), "");
        EXPECT_NE(refusal(key, size(kMaxExtent + 2, 2)), "");
        EXPECT_NE(refusal(key, size(2, kMaxExtent + 2)), "");
        EXPECT_NE(refusal(key, size(63, 48)), "");
        EXPECT_NE(refusal(key, size(64, 47)), "");
        EXPECT_NE(refusal(key, size(0, 48)), "");
        EXPECT_NE(refusal(key, size(64, 0)), "");
        EXPECT_NE(refusal(key, std::array<int64_t, 2>{-64, 48}), "");
        EXPECT_NE(refusal(key, std::array<int64_t, 2>{64, INT64_MIN}), "");
        EXPECT_NE(refusal(key, std::array<int64_t, 2>{INT64_MAX - 1, 48}), "");
    }
}

TEST(ProcParams, SizesOfRgbAreOddWhereThatIsAllowed) {
    ParamMap params = describe("rgb-planar", 37, 25, "rgb-interleaved", 299, 1);
    EXPECT_THROW((void)parseProcParams(params), Error);
    params.set("image.input.row-pitch", number(41));
    const ProcParams parsed = parseProcParams(params, true);
    EXPECT_EQ(parsed.input.width, 37U);
    EXPECT_EQ(parsed.input.pitch, 41U);
    EXPECT_EQ(parsed.output.pitch, 897U);
    EXPECT_EQ(tensorSpec(parsed.input, "input").byteSize(), 3U * 41 * 25);
    // Luma and chroma share bytes.
    EXPECT_THROW((void)parseProcParams(describe("nv12", 37, 26, "rgb-planar", 2, 2), true), Error);
    EXPECT_THROW((void)parseProcParams(describe("nv12", 38, 25, "rgb-planar", 2, 2), true), Error);
}

TEST(ProcParams, PitchesAreEvenAndHoldARow) {
    EXPECT_EQ(refusal("image.input.row-pitch", number(64)), "");
    EXPECT_EQ(refusal("image.output.row-pitch", number(96)), "");
    EXPECT_EQ(refusal("image.output.row-pitch", number(static_cast<int64_t>(kMaxRowPitch))), "");
    for (const int64_t pitch : {int64_t{-64}, int64_t{0}, int64_t{62}, int64_t{65}, INT64_MIN, INT64_MAX,
                                static_cast<int64_t>(kMaxRowPitch) + 2}) {
        EXPECT_NE(refusal("image.input.row-pitch", number(pitch)), "") << pitch;
    }
    for (const int64_t pitch : {94, 97}) {
        EXPECT_NE(refusal("image.output.row-pitch", number(pitch)), "") << pitch;
    }
}

TEST(ProcParams, LargestImageDoesNotOverflow) {
    const TensorSpec spec =
        tensorSpec({Format::RgbPlanar, SampleType::Uint8, kMaxExtent, kMaxExtent, kMaxRowPitch}, "");
    EXPECT_EQ(spec.byteSize(), 3 * kMaxExtent * kMaxRowPitch);
    EXPECT_LE(unpaddedRow(Format::RgbInterleaved, SampleType::Float32, kMaxExtent), kMaxRowPitch);
}

TEST(ProcParams, UnknownImageKeysAreRefusedAndOthersIgnored) {
    EXPECT_NE(refusal("image.input.sise", size(1, 1)), "");
    EXPECT_NE(refusal("image.", number(1)), "");
    EXPECT_EQ(refusal("disable-winograd", number(1)), "");
    EXPECT_EQ(refusal("imagesize", number(1)), "");
}

TEST(ProcParams, CropIsTheDefaultWindow) {
    EXPECT_EQ(parseProcParams(with({})).crop, (Crop{0, 0, 64, 48}));
    EXPECT_EQ(parseProcParams(with({{"image.input.crop", window(1, 2, 3, 4)}})).crop, (Crop{1, 2, 3, 4}));
    EXPECT_NE(refusal("image.input.crop", window(1, 0, 64, 48)), "");
}

TEST(ProcParams, CropTouchesBordersAndNoFurther) {
    const ImageSpec image = parseProcParams(with({})).input;
    const auto code = [&](int64_t x, int64_t y, int64_t width, int64_t height) {
        try {
            (void)parseCrop(makeMap({{"image.input.crop", window(x, y, width, height)}}), image, LAROD_ERROR_JOB);
        } catch (const Error& error) {
            return error.code();
        }
        return 0;
    };
    EXPECT_EQ(code(0, 0, 64, 48), 0);
    EXPECT_EQ(code(63, 47, 1, 1), 0);
    EXPECT_EQ(code(0, 0, 1, 1), 0);
    for (const auto& bad : {std::array<int64_t, 4>{1, 0, 64, 48},
                            {0, 1, 64, 48},
                            {64, 0, 1, 1},
                            {0, 48, 1, 1},
                            {-1, 0, 10, 10},
                            {0, -1, 10, 10},
                            {0, 0, 0, 10},
                            {0, 0, 10, 0},
                            {0, 0, -1, 10},
                            {INT64_MAX, 0, INT64_MAX, 1},
                            {0, INT64_MAX, 1, INT64_MAX},
                            {0, 0, INT64_MIN, 1},
                            {INT64_MIN, 0, 1, 1},
                            {0, 0, 65, 1},
                            {0, 0, 1, 49}}) {
        EXPECT_EQ(code(bad[0], bad[1], bad[2], bad[3]), LAROD_ERROR_JOB);
    }
}

TEST(ProcParams, FiltersHaveNames) {
    EXPECT_EQ(parseProcParams(with({})).filter, Filter::Bilinear);
    EXPECT_EQ(parseProcParams(with({{"image.output.filter", text("bilinear")}})).filter, Filter::Bilinear);
    EXPECT_EQ(parseProcParams(with({{"image.output.filter", text("box")}})).filter, Filter::Box);
    EXPECT_EQ(parseProcParams(with({{"image.output.filter", text("nearest")}})).filter, Filter::Nearest);
    EXPECT_NE(refusal("image.output.filter", text("Box")), "");
}

TEST(ProcParams, FloatOutputTakesOneNumberOrThree) {
    ProcParams params = parseProcParams(with({{"image.output.type", text("float32")}}));
    EXPECT_EQ(params.mean, (std::array<float, 3>{0, 0, 0}));
    EXPECT_EQ(params.scale, (std::array<float, 3>{1, 1, 1}));
    params = parseProcParams(with({{"image.output.type", text("float32")},
                                   {"image.output.mean", text("127.5")},
                                   {"image.output.scale", text("58.4,-57,5e1")}}));
    EXPECT_EQ(params.mean, (std::array<float, 3>{127.5F, 127.5F, 127.5F}));
    EXPECT_EQ(params.scale, (std::array<float, 3>{58.4F, -57, 50}));
}

TEST(ProcParams, WholeNumbersOfMeanAndScaleMayBeIntegers) {
    const ProcParams params = parseProcParams(with(
        {{"image.output.type", text("int8")}, {"image.output.mean", number(128)}, {"image.output.scale", number(-2)}}));
    EXPECT_EQ(params.mean, (std::array<float, 3>{128, 128, 128}));
    EXPECT_EQ(params.scale, (std::array<float, 3>{-2, -2, -2}));
    EXPECT_NE(refusal(with({{"image.output.type", text("int8")}, {"image.output.scale", number(0)}})), "");
    EXPECT_EQ(refusal(with({{"image.output.type", text("int8")}, {"image.output.mean", std::array<int64_t, 2>{1, 2}}})),
              "load parameter 'image.output.mean': expected a string, like '123.7,116.3,103.5', or an integer, got an "
              "array of 2 integers");
}

TEST(ProcParams, GarbageInNumbersIsRefused) {
    for (const char* numbers : {"", " 1", "1 ", "1,2", "1,2,3,4", "1,,3", "1,2,", ",1,2", "x", "nan", "inf", "-inf",
                                "1e99", "1;2;3", "0x10", "1,2,3 "}) {
        for (const char* key : {"image.output.mean", "image.output.scale"}) {
            const std::string error = refusal(with({{"image.output.type", text("float32")}, {key, text(numbers)}}));
            EXPECT_NE(error.find(key), std::string::npos) << numbers << ": " << error;
        }
    }
    for (const char* scale : {"0", "-0", "1,0,1", "1e-40", "1e-37"}) {
        EXPECT_NE(refusal(with({{"image.output.type", text("float32")}, {"image.output.scale", text(scale)}})), "")
            << scale;
    }
}

TEST(ProcParams, MeanAndScaleNeedAnotherTypeThanBytes) {
    EXPECT_NE(refusal("image.output.mean", text("1")).find("image.output.type"), std::string::npos);
    EXPECT_NE(refusal("image.output.scale", text("1")).find("image.output.type"), std::string::npos);
    EXPECT_NE(refusal(with({{"image.output.type", text("uint8")}, {"image.output.mean", text("1")}})), "");
    for (const char* type : {"int8", "float16", "float32"}) {
        EXPECT_EQ(refusal(with({{"image.output.type", text(type)}, {"image.output.mean", text("1")}})), "") << type;
    }
    EXPECT_EQ(refusal("image.output.type", text("uint8")), "");
    EXPECT_NE(refusal("image.output.type", text("float64")), "");
}

TEST(ProcParams, OtherTypesThanBytesAreForRgb) {
    for (const char* type : {"int8", "float16", "float32"}) {
        for (const char* format : {"rgb-planar", "rgb-interleaved"}) {
            EXPECT_EQ(refusal(with({{"image.output.type", text(type)}, {"image.output.format", text(format)}})), "");
        }
        const std::string error =
            refusal(with({{"image.output.type", text(type)}, {"image.output.format", text("nv12")}}));
        EXPECT_NE(error.find("rgb-interleaved"), std::string::npos) << error;
    }
}

TEST(ProcParams, Float16ResultsMustBeFinite) {
    const auto refused = [](const char* type, const char* scale) {
        return refusal(with({{"image.output.type", text(type)}, {"image.output.scale", text(scale)}})) != "";
    };
    EXPECT_FALSE(refused("float16", "0.0039"));
    EXPECT_TRUE(refused("float16", "0.00389"));
    EXPECT_FALSE(refused("float32", "0.00389"));
    const auto refusedMean = [](const char* mean) {
        return refusal(with({{"image.output.type", text("float16")}, {"image.output.mean", text(mean)}})) != "";
    };
    EXPECT_FALSE(refusedMean("-65249")) << "255 becomes 65504";
    EXPECT_TRUE(refusedMean("-65250"));
    EXPECT_FALSE(refusedMean("65504")) << "0 becomes -65504";
    EXPECT_TRUE(refusedMean("65505"));
}

TEST(ProcParams, ColorimetriesHaveNamesAndNeedLumaAndChroma) {
    EXPECT_EQ(parseProcParams(with({})).colorimetry, Colorimetry::Bt601Limited);
    const std::pair<const char*, Colorimetry> names[] = {
        {"bt601-limited", Colorimetry::Bt601Limited},   {"bt601-full", Colorimetry::Bt601Full},
        {"bt709-limited", Colorimetry::Bt709Limited},   {"bt709-full", Colorimetry::Bt709Full},
        {"bt2020-limited", Colorimetry::Bt2020Limited}, {"bt2020-full", Colorimetry::Bt2020Full}};
    for (const auto& [name, colorimetry] : names) {
        for (const char* format : {"nv12", "yuyv"}) {
            EXPECT_EQ(
                parseProcParams(with({{"image.input.format", text(format)}, {"image.input.colorimetry", text(name)}}))
                    .colorimetry,
                colorimetry);
        }
        for (const char* format : {"rgb-interleaved", "gray"}) {
            const std::string error =
                refusal(with({{"image.input.format", text(format)}, {"image.input.colorimetry", text(name)}}));
            EXPECT_NE(error.find(format), std::string::npos) << error;
        }
    }
    EXPECT_NE(refusal("image.input.colorimetry", text("bt601")), "");
}

TEST(ProcParams, FloatPitchIsInBytes) {
    const auto refused = [](int64_t pitch) {
        return refusal(with({{"image.output.type", text("float32")}, {"image.output.row-pitch", number(pitch)}})) != "";
    };
    EXPECT_FALSE(refused(384));
    EXPECT_FALSE(refused(388));
    EXPECT_TRUE(refused(380));
    EXPECT_TRUE(refused(386));
}

TEST(ProcParams, TypesHaveTheirTensors) {
    struct Row {
        const char* type;
        larodTensorDataType dataType;
        const char* interleaved;
        const char* planar;
    };
    for (const Row& row :
         {Row{"int8", LAROD_TENSOR_DATA_TYPE_INT8, "(2304, 2304, 96, 3)", "(2304, 2304, 768, 32)"},
          Row{"float16", LAROD_TENSOR_DATA_TYPE_FLOAT16, "(4608, 4608, 192, 6)", "(4608, 4608, 1536, 64)"},
          Row{"float32", LAROD_TENSOR_DATA_TYPE_FLOAT32, "(9216, 9216, 384, 12)", "(9216, 9216, 3072, 128)"}}) {
        for (const bool planar : {false, true}) {
            const char* const format = planar ? "rgb-planar" : "rgb-interleaved";
            const TensorSpec spec = tensorSpec(
                parseProcParams(with({{"image.output.type", text(row.type)}, {"image.output.format", text(format)}}))
                    .output,
                "output");
            EXPECT_EQ(spec.dataType, row.dataType);
            EXPECT_EQ(pitchesText(spec.pitches), planar ? row.planar : row.interleaved);
        }
    }
}

TEST(ProcParams, FloatTensorHasFloatPitches) {
    const TensorSpec spec =
        tensorSpec(parseProcParams(with({{"image.output.type", text("float32")}})).output, "output");
    EXPECT_EQ(spec.dataType, LAROD_TENSOR_DATA_TYPE_FLOAT32);
    EXPECT_EQ(spec.layout, LAROD_TENSOR_LAYOUT_NHWC);
    EXPECT_EQ(dimsText(spec.dims), "(1, 24, 32, 3)");
    EXPECT_EQ(pitchesText(spec.pitches), "(9216, 9216, 384, 12)");
}

TEST(ProcParams, InputsOfFurtherFormatsHaveTheirTensors) {
    struct Row {
        const char* format;
        const char* dims;
        const char* pitches;
        larodTensorLayout layout;
    };
    for (const Row& row : {Row{"nv21", "(3, 48, 64)", "(11520, 7680, 160)", LAROD_TENSOR_LAYOUT_420SP},
                           Row{"i420", "(3, 48, 64)", "(11520, 7680, 160)", LAROD_TENSOR_LAYOUT_UNSPECIFIED},
                           Row{"yuyv", "(1, 48, 64, 2)", "(7680, 7680, 160, 2)", LAROD_TENSOR_LAYOUT_NHWC},
                           Row{"uyvy", "(1, 48, 64, 2)", "(7680, 7680, 160, 2)", LAROD_TENSOR_LAYOUT_NHWC},
                           Row{"gray", "(1, 48, 64, 1)", "(7680, 7680, 160, 1)", LAROD_TENSOR_LAYOUT_NHWC}}) {
        const TensorSpec spec = specOf(row.format, 64, 48, 160, Direction::Input);
        EXPECT_EQ(spec.dataType, LAROD_TENSOR_DATA_TYPE_UINT8);
        EXPECT_EQ(spec.layout, row.layout);
        EXPECT_EQ(dimsText(spec.dims), row.dims);
        EXPECT_EQ(pitchesText(spec.pitches), row.pitches);
    }
    EXPECT_EQ(pitchesText(specOf("bgr-interleaved", 64, 48, 0, Direction::Input).pitches), "(9216, 9216, 192, 3)");
    EXPECT_EQ(pitchesText(specOf("rgba-interleaved", 64, 48, 0, Direction::Input).pitches), "(12288, 12288, 256, 4)");
}

TEST(ProcParams, TensorsHaveTheDocumentedShapes) {
    struct Row {
        const char* format;
        size_t width, height;
        int64_t pitch;
        const char* dims;
        const char* pitches;
        larodTensorLayout layout;
    };
    const Row rows[] = {
        {"nv12", 1920, 1080, 1920, "(3, 1080, 1920)", "(3110400, 2073600, 1920)", LAROD_TENSOR_LAYOUT_420SP},
        {"nv12", 1280, 720, 0, "(3, 720, 1280)", "(1382400, 921600, 1280)", LAROD_TENSOR_LAYOUT_420SP},
        {"nv12", 640, 360, 640, "(3, 360, 640)", "(345600, 230400, 640)", LAROD_TENSOR_LAYOUT_420SP},
        {"nv12", 480, 270, 0, "(3, 270, 480)", "(194400, 129600, 480)", LAROD_TENSOR_LAYOUT_420SP},
        {"nv12", 300, 224, 320, "(3, 224, 300)", "(107520, 71680, 320)", LAROD_TENSOR_LAYOUT_420SP},
        {"nv12", 300, 300, 0, "(3, 300, 300)", "(135000, 90000, 300)", LAROD_TENSOR_LAYOUT_420SP},
        {"rgb-interleaved", 300, 300, 0, "(1, 300, 300, 3)", "(270000, 270000, 900, 3)", LAROD_TENSOR_LAYOUT_NHWC},
        {"rgb-interleaved", 640, 360, 1920, "(1, 360, 640, 3)", "(691200, 691200, 1920, 3)", LAROD_TENSOR_LAYOUT_NHWC},
        {"rgb-interleaved", 48, 48, 0, "(1, 48, 48, 3)", "(6912, 6912, 144, 3)", LAROD_TENSOR_LAYOUT_NHWC},
        {"rgb-interleaved", 360, 640, 1920, "(1, 640, 360, 3)", "(1228800, 1228800, 1920, 3)",
         LAROD_TENSOR_LAYOUT_NHWC},
        {"rgb-planar", 1920, 1080, 1920, "(1, 3, 1080, 1920)", "(6220800, 6220800, 2073600, 1920)",
         LAROD_TENSOR_LAYOUT_NCHW},
        {"rgb-planar", 300, 300, 0, "(1, 3, 300, 300)", "(270000, 270000, 90000, 300)", LAROD_TENSOR_LAYOUT_NCHW},
    };
    for (const Row& row : rows) {
        for (const Direction direction : {Direction::Input, Direction::Output}) {
            const TensorSpec spec = specOf(row.format, row.width, row.height, row.pitch, direction);
            EXPECT_EQ(spec.dataType, LAROD_TENSOR_DATA_TYPE_UINT8);
            EXPECT_EQ(spec.layout, row.layout);
            EXPECT_EQ(dimsText(spec.dims), row.dims);
            EXPECT_EQ(pitchesText(spec.pitches), row.pitches);
        }
    }
}

}  // namespace
}  // namespace larod::device::proc
