// SPDX-License-Identifier: Apache-2.0
// Finds the faces in a picture with a larod service: two jobs, and the output of the first is the input of the second.
//
//     NV12 frame -> cpu-proc: crop, scale, RGB, normalise -> cpu-tflite: BlazeFace -> boxes and scores
//
// Nothing is copied between the jobs: both requests name the same tensor, whose memory the service allocated and both
// devices write and read. A window of the frame is chosen a job, so one loaded model serves all windows.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "blaze_face.h"
#include "image.h"
#include "image_file.h"
#include "larod-dma-buf.h"
#include "larod.h"
#include "nv12_frame.h"

namespace example {

namespace {

constexpr float kMinScore = 0.5F;
constexpr int kTimedRuns = 20;
constexpr Color kGreen{0, 255, 64};

enum ExitStatus { kFound = 0, kNoFace = 1, kFailed = 2 };

// ---- larod: every call reports through a larodError, which becomes an exception here ----

class Larod {
  public:
    ~Larod() { larodClearError(&error_); }

    // For a call that returns NULL or false on failure: larod.check(larodRunJob(conn, request, larod.error()), "...").
    larodError** error() {
        larodClearError(&error_);
        return &error_;
    }
    template <typename Result>
    Result check(Result result, const char* what) const {
        if (!result) {
            throw std::runtime_error(fmt::format("{}: {}", what, error_ != nullptr ? error_->msg : "no reason given"));
        }
        return result;
    }

  private:
    larodError* error_ = nullptr;
};

// Objects of the library are destroyed in reverse order of their creation, the connection last.
using Connection = std::unique_ptr<larodConnection, decltype([](larodConnection* c) { larodDisconnect(&c, nullptr); })>;
using Model = std::unique_ptr<larodModel, decltype([](larodModel* m) { larodDestroyModel(&m); })>;
using Map = std::unique_ptr<larodMap, decltype([](larodMap* m) { larodDestroyMap(&m); })>;
using Request = std::unique_ptr<larodJobRequest, decltype([](larodJobRequest* r) { larodDestroyJobRequest(&r); })>;

Connection connectToService() {
    Larod larod;
    larodConnection* conn = nullptr;
    larod.check(larodConnect(&conn, larod.error()), "can't connect to the larod service");
    return Connection(conn);
}

// Tensors whose memory the service allocated, mapped here as long as the object exists. Access is bracketed, so it may
// be dma-bufs as well: what a device prefers.
class Tensors {
  public:
    using Allocate = larodTensor** (*)(larodConnection*, const larodModel*, uint32_t, size_t*, larodMap*, larodError**);

    Tensors(larodConnection* conn, const larodModel* model, Allocate allocate) : conn_(conn) {
        Larod larod;
        tensors_ = larod.check(allocate(conn, model, LAROD_FD_PROP_MAP, &count_, nullptr, larod.error()),
                               "can't allocate tensors");
        try {
            for (size_t index = 0; index < count_; ++index) {
                mappings_.emplace_back(tensors_[index]);
            }
        } catch (const larod::DmaBufException&) {
            larodDestroyTensors(conn_, &tensors_, count_, nullptr);
            throw;
        }
    }
    ~Tensors() { larodDestroyTensors(conn_, &tensors_, count_, nullptr); }
    Tensors(const Tensors&) = delete;
    Tensors& operator=(const Tensors&) = delete;

    [[nodiscard]] larodTensor** data() const { return tensors_; }
    [[nodiscard]] size_t size() const { return count_; }
    [[nodiscard]] size_t sizeBytes(size_t index) const { return mappings_.at(index).size(); }
    [[nodiscard]] larod::DmaBufScope access(size_t index, larodDmaBufAccess direction) {
        return {mappings_.at(index), direction};
    }

  private:
    larodConnection* conn_;
    larodTensor** tensors_ = nullptr;
    size_t count_ = 0;
    std::vector<larod::DmaBufMapping> mappings_;
};

std::span<const float> floats(const larod::DmaBufScope& scope) {
    // Memory from mmap is aligned for every type.
    return {reinterpret_cast<const float*>(static_cast<const void*>(scope.data())), scope.size() / sizeof(float)};
}

const larodDevice* getDevice(larodConnection* conn, const char* name) {
    Larod larod;
    return larod.check(larodGetDevice(conn, name, 0, larod.error()), name);
}

// A model for cpu-proc is a description of what goes in and what comes out. The network wants floats from -1 to 1:
// (pixel - mean) / scale.
Model loadPreprocessing(larodConnection* conn, int frameSide) {
    Larod larod;
    const Map map(larod.check(larodCreateMap(larod.error()), "can't create a map"));
    const auto setString = [&](const char* key, const char* value) {
        larod.check(larodMapSetStr(map.get(), key, value, larod.error()), key);
    };
    const auto setSize = [&](const char* key, int side) {
        larod.check(larodMapSetIntArr2(map.get(), key, side, side, larod.error()), key);
    };
    setString("image.input.format", "nv12");
    setSize("image.input.size", frameSide);
    setString("image.output.format", "rgb-interleaved");
    setSize("image.output.size", kBlazeFaceSide);
    setString("image.output.type", "float32");
    setString("image.output.mean", "127.5");
    setString("image.output.scale", "127.5");
    setString("image.output.filter", "box");  // photographs are reduced much: without aliasing
    return Model(larod.check(larodLoadModel(conn, -1, getDevice(conn, "cpu-proc"), LAROD_ACCESS_PRIVATE,
                                            "preprocessing", map.get(), larod.error()),
                             "can't load the preprocessing"));
}

Model loadNetwork(larodConnection* conn, const std::string& path) {
    Larod larod;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        throw std::runtime_error(
            fmt::format("can't open the model '{}': {}", path, std::generic_category().message(errno)));
    }
    larodModel* model = larodLoadModel(conn, fd, getDevice(conn, "cpu-tflite"), LAROD_ACCESS_PRIVATE, "face detection",
                                       nullptr, larod.error());
    ::close(fd);
    return Model(larod.check(model, "can't load the model"));
}

// Both jobs, from a window of the frame to faces in it.
class FaceDetector {
  public:
    FaceDetector(larodConnection* conn, const std::string& modelFile, int frameSide)
        : conn_(conn),
          preprocessing_(loadPreprocessing(conn, frameSide)),
          network_(loadNetwork(conn, modelFile)),
          frame_(conn, preprocessing_.get(), larodAllocModelInputs),
          networkInput_(conn, network_.get(), larodAllocModelInputs),
          networkOutputs_(conn, network_.get(), larodAllocModelOutputs) {
        // The larger output has 16 values an anchor, the other one the scores.
        if (networkOutputs_.size() != 2) {
            throw std::runtime_error("the model does not have two outputs");
        }
        regressors_ = networkOutputs_.sizeBytes(0) > networkOutputs_.sizeBytes(1) ? 0 : 1;

        Larod larod;
        // Here the two jobs are joined: the network's input is what the preprocessing writes.
        preprocessingJob_.reset(
            larod.check(larodCreateJobRequest(preprocessing_.get(), frame_.data(), frame_.size(), networkInput_.data(),
                                              networkInput_.size(), nullptr, larod.error()),
                        "can't create the preprocessing job"));
        inferenceJob_.reset(
            larod.check(larodCreateJobRequest(network_.get(), networkInput_.data(), networkInput_.size(),
                                              networkOutputs_.data(), networkOutputs_.size(), nullptr, larod.error()),
                        "can't create the inference job"));
    }

    // To write the frame; no job runs as long as it is open.
    [[nodiscard]] larod::DmaBufScope accessFrame() { return frame_.access(0, LAROD_DMA_BUF_WRITE); }
    [[nodiscard]] size_t rowPitch() const {
        Larod larod;
        return larod.check(larodGetTensorPitches(frame_.data()[0], larod.error()), "can't get the pitch")->pitches[2];
    }

    void chooseWindow(const Window& window) {
        Larod larod;
        const Map map(larod.check(larodCreateMap(larod.error()), "can't create a map"));
        larod.check(larodMapSetIntArr4(map.get(), "image.input.crop", window.left, window.top, window.width,
                                       window.height, larod.error()),
                    "can't set the window");
        larod.check(larodSetJobRequestParams(preprocessingJob_.get(), map.get(), larod.error()),
                    "can't set the window");
        window_ = window;
    }
    void preprocess() {
        Larod larod;
        larod.check(larodRunJob(conn_, preprocessingJob_.get(), larod.error()), "the preprocessing job failed");
    }
    void infer() {
        Larod larod;
        larod.check(larodRunJob(conn_, inferenceJob_.get(), larod.error()), "the inference job failed");
    }
    [[nodiscard]] std::vector<Face> faces() {
        const larod::DmaBufScope regressors = networkOutputs_.access(regressors_, LAROD_DMA_BUF_READ);
        const larod::DmaBufScope logits = networkOutputs_.access(1 - regressors_, LAROD_DMA_BUF_READ);
        return decodeFaces(floats(regressors), floats(logits), window_, kMinScore);
    }

  private:
    larodConnection* conn_;
    Model preprocessing_;
    Model network_;
    Tensors frame_;
    Tensors networkInput_;
    Tensors networkOutputs_;
    size_t regressors_ = 0;
    Request preprocessingJob_;
    Request inferenceJob_;
    Window window_;
};

// ---- the program ----

// What each step took. Jobs are run several times, so they have a median as well.
class TimeTable {
  public:
    template <typename Step>
    void measure(const std::string& name, Step step, int runs = 1) {
        std::vector<double> times;
        for (int run = 0; run < runs; ++run) {
            const auto begin = std::chrono::steady_clock::now();
            step();
            times.push_back(
                std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
        }
        rows_.emplace_back(name, std::move(times));
    }

    void print() const {
        fmt::print("\n{:<38}{:>12}{:>22}\n", "Step", "first (ms)", fmt::format("median of {} (ms)", kTimedRuns));
        for (const auto& [name, times] : rows_) {
            std::vector<double> sorted = times;
            std::sort(sorted.begin(), sorted.end());
            const std::string median = times.size() > 1 ? fmt::format("{:.3f}", sorted[sorted.size() / 2]) : "";
            fmt::print("{:<38}{:>12.3f}{:>22}\n", name, times.front(), median);
        }
        fmt::print("\n");
    }

  private:
    std::vector<std::pair<std::string, std::vector<double>>> rows_;
};

// The whole frame, for large faces; and for a long picture squares along it, half a square apart, for smaller ones.
std::vector<Window> chooseWindows(const Image& image, const FrameGeometry& geometry) {
    std::vector<Window> windows = {{0, 0, geometry.side, geometry.side}};
    const int shortSide = std::min(image.width, image.height);
    const int longSide = std::max(image.width, image.height);
    if (longSide * 10 < shortSide * 11) {
        return windows;
    }
    const int spacing = std::max(shortSide / 2, 1);
    const int steps = std::max((longSide - shortSide + spacing - 1) / spacing, 1);
    for (int step = 0; step <= steps; ++step) {
        const int offset = (longSide - shortSide) * step / steps;
        const bool wide = image.width > image.height;
        windows.push_back(
            {geometry.left + (wide ? offset : 0), geometry.top + (wide ? 0 : offset), shortSide, shortSide});
    }
    return windows;
}

// From the frame to the picture in it.
void moveToPicture(Face& face, const FrameGeometry& geometry) {
    const auto left = static_cast<float>(geometry.left);
    const auto top = static_cast<float>(geometry.top);
    face.left -= left;
    face.top -= top;
    for (Point& point : face.keypoints) {
        point.x -= left;
        point.y -= top;
    }
}

int toPixel(float position) {
    return static_cast<int>(std::lround(position));
}

void drawFace(Image& image, const Face& face) {
    const int thickness = std::max(2, std::max(image.width, image.height) / 250);
    drawFrame(image, toPixel(face.left), toPixel(face.top), toPixel(face.width), toPixel(face.height), thickness,
              kGreen);
    for (const Point& point : face.keypoints) {
        fillRectangle(image, toPixel(point.x) - thickness, toPixel(point.y) - thickness, 2 * thickness, 2 * thickness,
                      kGreen);
    }
}

ExitStatus run(const std::string& modelFile, const std::string& pictureFile, const std::string& outputFile) {
    TimeTable times;
    Image image;
    times.measure("read the picture", [&] { image = readImage(pictureFile); });
    const FrameGeometry geometry = frameAround(image);
    Connection connection;
    times.measure("connect to the service", [&] { connection = connectToService(); });
    std::unique_ptr<FaceDetector> detector;
    times.measure("load the models, allocate tensors",
                  [&] { detector = std::make_unique<FaceDetector>(connection.get(), modelFile, geometry.side); });
    times.measure("make an NV12 frame of the picture", [&] {
        larod::DmaBufScope frame = detector->accessFrame();
        writeNv12(image, geometry, {frame.data(), frame.size()}, detector->rowPitch());
        frame.end();
    });

    const std::vector<Window> windows = chooseWindows(image, geometry);
    detector->chooseWindow(windows.front());
    times.measure(
        "job on cpu-proc: scale, RGB, floats", [&] { detector->preprocess(); }, kTimedRuns);
    times.measure(
        "job on cpu-tflite: BlazeFace", [&] { detector->infer(); }, kTimedRuns);
    std::vector<Face> faces;
    times.measure(
        "find the faces in the outputs", [&] { faces = mergeFaces(detector->faces()); }, kTimedRuns);
    for (size_t index = 1; index < windows.size(); ++index) {
        detector->chooseWindow(windows[index]);
        detector->preprocess();
        detector->infer();
        const std::vector<Face> found = detector->faces();
        faces.insert(faces.end(), found.begin(), found.end());
    }
    faces = mergeFaces(std::move(faces));

    fmt::print("{}: {}x{} pixels\n", pictureFile, image.width, image.height);
    int number = 0;
    for (Face& face : faces) {
        moveToPicture(face, geometry);
        fmt::print("Face {}: x {}, y {}, width {}, height {}, score {:.2f}\n", ++number, toPixel(face.left),
                   toPixel(face.top), toPixel(face.width), toPixel(face.height), face.score);
        drawFace(image, face);
    }
    if (faces.empty()) {
        fmt::print("No face found.\n");
    }
    times.print();
    if (faces.empty()) {
        return kNoFace;
    }
    writePng(outputFile, image);
    fmt::print("Written with the boxes drawn: {}\n", outputFile);
    return kFound;
}

}  // namespace

}  // namespace example

int main(int argc, char** argv) {
    std::string modelFile;
    std::string pictureFile;
    std::string outputFile = "demo.png";
    CLI::App app("Finds the faces in a picture with the larod service that LAROD_SOCKET names.", "face_detection");
    app.add_option("--model", modelFile, "BlazeFace, short range: face_detection_short_range.tflite")
        ->type_name("FILE")
        ->required();
    app.add_option("--output", outputFile, "The picture with the boxes drawn. Default: demo.png")->type_name("FILE");
    app.add_option("PICTURE", pictureFile, "A JPEG or PNG file")->type_name("FILE")->required();
    app.footer("Exit status: 0 face found, 1 no face found, 2 failed.");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? example::kFound : example::kFailed;
    }
    try {
        return example::run(modelFile, pictureFile, outputFile);
    } catch (const std::exception& error) {
        fmt::print(stderr, "face_detection: {}\n", error.what());
        return example::kFailed;
    }
}
