// SPDX-License-Identifier: Apache-2.0
// Brings pictures into input tensors, and images out of output tensors, by jobs of a device that converts images.
#include "larod-client/picture_converter.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "larod-client/job_loop.h"
#include "larod-client/load.h"
#include "larod-client/tensor_elements.h"
#include "larod-client/tensor_file.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

constexpr size_t kRgbBytes = 3;

size_t roundedUpToEven(size_t size) {
    return size + size % 2;
}

ImageTensor rgbImage(size_t width, size_t height) {
    return {"rgb-interleaved", width, height, 0, "uint8"};
}

ModelHandle loadConversion(larodConnection* conn, const std::string& device, const ImageTensor& source,
                           const ImageTensor& target, std::vector<Parameter> parameters) {
    ModelOptions options;
    options.device = device;
    options.parameters = std::move(parameters);
    for (const auto& [side, image] : {std::pair("input", &source), std::pair("output", &target)}) {
        for (Parameter& parameter : image->parameters(side)) {
            options.parameters.push_back(std::move(parameter));
        }
    }
    try {
        return loadModel(conn, options);
    } catch (const ToolError& error) {
        throw ToolError(error.code(), fmt::format("{} does not convert {} to {}: {}", device, source.text(),
                                                  target.text(), error.what()));
    }
}

TensorArray conversionTensors(larodConnection* conn, const larodModel* model, Direction direction) {
    LarodError error;
    size_t count = 0;
    const auto make = direction == Direction::Input ? larodCreateModelInputs : larodCreateModelOutputs;
    larodTensor** tensors = make(model, &count, error.out());
    if (tensors == nullptr) {
        throw error.toolError("Could not create the tensors of a conversion");
    }
    return {conn, tensors, count};
}

bool isImage(const larodTensor* tensor, const ImageTensor& wanted) {
    const std::optional<ImageTensor> image = imageTensor(tensor);
    return image && image->format == wanted.format && image->width == wanted.width && image->height == wanted.height &&
           image->type == wanted.type;
}

// The same memory for another tensor.
void shareMemory(const larodTensor* from, larodTensor* to) {
    LarodError error;
    size_t sizeBytes = 0;
    uint32_t props = 0;
    if (!larodGetTensorFdSize(from, &sizeBytes, error.out()) || !larodGetTensorFdProps(from, &props, error.out()) ||
        !larodSetTensorFd(to, larodGetTensorFd(from, nullptr), error.out()) ||
        !larodSetTensorFdSize(to, sizeBytes, error.out()) ||
        !larodSetTensorFdOffset(to, larodGetTensorFdOffset(from, nullptr), error.out()) ||
        !larodSetTensorFdProps(to, props, error.out())) {
        throw error.toolError("Could not share the memory of a tensor");
    }
}

// Black around the picture.
void drawOn(const Picture& picture, const PictureCanvas& canvas, std::span<uint8_t> pixels) {
    const size_t rowBytes = canvas.width * kRgbBytes;
    const auto pixel = [&](size_t x, size_t y) { return pixels.subspan(y * rowBytes + x * kRgbBytes); };
    std::fill(pixels.begin(), pixels.end(), uint8_t{0});
    for (size_t y = 0; y < picture.height; ++y) {
        std::memcpy(pixel(canvas.left, canvas.top + y).data(), &picture.rgb[y * picture.width * kRgbBytes],
                    picture.width * kRgbBytes);
    }
}

}  // namespace

PictureCanvas canvasFor(const Picture& picture, const ImageTensor& input, Fit fit) {
    size_t width = picture.width;
    size_t height = picture.height;
    if (fit == Fit::Letterbox) {
        // Which side is too short for the shape of the input; products of sizes of at most 16 bits.
        if (width * input.height > height * input.width) {
            height = (width * input.height + input.width - 1) / input.width;
        } else {
            width = (height * input.width + input.height - 1) / input.height;
        }
    }
    return {roundedUpToEven(width), roundedUpToEven(height), (width - picture.width) / 2,
            (height - picture.height) / 2};
}

ImageConversion::OwnMemory::~OwnMemory() {
    if (!bytes.empty()) {
        ::munmap(bytes.data(), bytes.size());
    }
}

void ImageConversion::OwnMemory::allocate(size_t sizeBytes) {
    file = UniqueFd(::memfd_create("larod-client-picture", MFD_CLOEXEC));
    void* address = MAP_FAILED;
    if (file && ::ftruncate(file.get(), static_cast<off_t>(sizeBytes)) == 0) {
        address = ::mmap(nullptr, sizeBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    }
    if (address == MAP_FAILED) {
        throw errnoError(fmt::format("Could not get {} bytes of memory for a picture", sizeBytes));
    }
    bytes = {static_cast<uint8_t*>(address), sizeBytes};
}

ImageConversion::ImageConversion(larodConnection* conn, const std::string& device, const ImageTensor& source,
                                 const ImageTensor& target, Direction own, std::vector<Parameter> parameters)
    : conn_(conn),
      own_(own),
      model_(loadConversion(conn, device, source, target, std::move(parameters))),
      inputs_(conversionTensors(conn, model_.get(), Direction::Input)),
      outputs_(conversionTensors(conn, model_.get(), Direction::Output)) {
    // Devices of other kinds ignore parameters that they don't know.
    const bool converts =
        inputs_.size() == 1 && outputs_.size() == 1 && isImage(inputs_[0], source) && isImage(outputs_[0], target);
    larodTensor* tensor = own == Direction::Input ? inputs_[0] : outputs_[0];
    const ImageTensor& ownImage = own == Direction::Input ? source : target;
    const size_t sizeBytes = converts ? tensorByteSize(tensor, "a picture") : 0;
    if (!converts || sizeBytes != ownImage.width * ownImage.height * kRgbBytes) {
        throw ToolError(EINVAL, fmt::format("{} is no device that converts images", device));
    }
    memory_.allocate(sizeBytes);
    setTensorFile(tensor, memory_.file.get(), sizeBytes, LAROD_FD_TYPE_DISK, "a picture");
}

ImageConversion::~ImageConversion() {
    // What fails now has failed before, and was told then.
    larodDeleteModel(conn_, model_.get(), nullptr);
}

void ImageConversion::run(const larodTensor* other, const std::vector<Parameter>& jobParameters) const {
    shareMemory(other, own_ == Direction::Input ? outputs_[0] : inputs_[0]);
    LarodError error;
    const RequestHandle request(larodCreateJobRequest(model_.get(), inputs_.data(), 1, outputs_.data(), 1,
                                                      makeMap(jobParameters).get(), error.out()));
    if (!request) {
        throw error.toolError("Could not create the job that converts a picture");
    }
    static_cast<void>(runJobs(conn_, request.get(), 1, nullptr));
}

void PictureConverter::fill(const Picture& picture, const larodTensor* input, const std::string& what) {
    const std::optional<ImageTensor> image = imageTensor(input);
    if (!image) {
        throw ToolError(EINVAL, fmt::format("{} gets a picture, but is no image of three channels of uint8, int8, "
                                            "float16 or float32",
                                            what));
    }
    if (image->type == "uint8" && !(options_.mean.empty() && options_.scale.empty())) {
        throw ToolError(EINVAL,
                        fmt::format("{} has elements of uint8, which are the pixels as they are: no --mean and no "
                                    "--scale for it",
                                    what));
    }
    const PictureCanvas canvas = canvasFor(picture, *image, options_.fit);
    const std::string key = fmt::format("{}x{} to {} {}", canvas.width, canvas.height, image->text(), image->rowPitch);
    if (key != conversionKey_) {
        conversionKey_.clear();
        conversion_.emplace(conn_, options_.device, rgbImage(canvas.width, canvas.height), *image, Direction::Input,
                            normalisation(*image));
        conversionKey_ = key;
    }
    drawOn(picture, canvas, conversion_->ownBytes());
    std::vector<Parameter> window;
    if (options_.fit == Fit::Stretch && (canvas.width != picture.width || canvas.height != picture.height)) {
        window.push_back({"image.input.crop", std::vector<int64_t>{0, 0, static_cast<int64_t>(picture.width),
                                                                   static_cast<int64_t>(picture.height)}});
    }
    conversion_->run(input, window);
}

std::vector<Parameter> PictureConverter::normalisation(const ImageTensor& input) const {
    std::string mean = options_.mean;
    std::string scale = options_.scale;
    if (input.type != "uint8") {
        const bool integer = input.type == "int8";
        mean = !mean.empty() ? mean : integer ? "128" : "127.5";
        scale = !scale.empty() ? scale : integer ? "1" : "127.5";
    }
    std::vector<Parameter> parameters;
    if (!mean.empty()) {
        parameters.push_back({"image.output.mean", mean});
    }
    if (!scale.empty()) {
        parameters.push_back({"image.output.scale", scale});
    }
    return parameters;
}

std::string PictureConverter::description(const Picture& picture, const larodTensor* input) const {
    const std::optional<ImageTensor> image = imageTensor(input);
    if (!image) {
        return "";
    }
    std::string text =
        fmt::format("{}x{}, {} to {} by {}", picture.width, picture.height,
                    options_.fit == Fit::Letterbox ? "letterboxed" : "stretched", image->text(), options_.device);
    if (const std::vector<Parameter> numbers = normalisation(*image); numbers.size() == 2) {
        text += fmt::format(", element = (pixel - {}) / {}", std::get<std::string>(numbers[0].value),
                            std::get<std::string>(numbers[1].value));
    }
    return text;
}

Picture PictureConverter::pictureOf(const TensorBuffers& outputs, size_t index) const {
    const larodTensor* tensor = outputs.tensors()[index];
    const std::optional<ImageTensor> image = imageTensor(tensor);
    if (!image || image->type != "uint8") {
        throw ToolError(EINVAL, fmt::format("{} is no image of uint8 that could be saved", outputs.nameOf(index)));
    }
    Picture picture{image->width, image->height, std::vector<uint8_t>(image->width * image->height * kRgbBytes)};
    if (image->format == "nv12") {
        const ImageConversion conversion(conn_, options_.device, *image, rgbImage(image->width, image->height),
                                         Direction::Output, {});
        conversion.run(tensor, {});
        std::copy_n(conversion.ownBytes().begin(), picture.rgb.size(), picture.rgb.begin());
        return picture;
    }
    TensorElements elements;
    outputs.read(index, [&](std::span<const std::byte> data) { elements = elementsOf(tensor, data); });
    if (elements.bytes.size() < picture.rgb.size()) {
        throw ToolError(EINVAL, fmt::format("{} is smaller than its image", outputs.nameOf(index)));
    }
    const size_t pixels = image->width * image->height;
    const bool planar = image->format == "rgb-planar";
    for (size_t place = 0; place < picture.rgb.size(); ++place) {
        const size_t from = planar ? place % kRgbBytes * pixels + place / kRgbBytes : place;
        picture.rgb[place] = static_cast<uint8_t>(elements.bytes[from]);
    }
    return picture;
}

}  // namespace larod::tools
