// SPDX-License-Identifier: Apache-2.0
// Brings pictures into input tensors, and images out of output tensors, by jobs of a device that converts images.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "larod-client/handles.h"
#include "larod-client/image_tensor.h"
#include "larod-client/measure_options.h"
#include "larod-client/picture_file.h"
#include "larod-client/tensor_buffers.h"
#include "unique_fd.h"

namespace larod::tools {

// What the picture is put on before it is scaled: even sizes, as devices want them.
struct PictureCanvas {
    size_t width = 0;
    size_t height = 0;
    size_t left = 0;  // where the picture stands
    size_t top = 0;
};

// Letterbox: the smallest canvas with the shape of `input` that the picture fits on, in its middle. Stretch: no larger
// than it must be.
[[nodiscard]] PictureCanvas canvasFor(const Picture& picture, const ImageTensor& input, Fit fit);

// A loaded conversion between two kinds of images, and the memory of one of them: the other is a tensor of somebody
// else.
class ImageConversion {
  public:
    // The own memory is the input's or the output's; that image is rgb-interleaved, of uint8, and has no row pitch.
    // Throws ToolError.
    ImageConversion(larodConnection* conn, const std::string& device, const ImageTensor& source,
                    const ImageTensor& target, Direction own, std::vector<Parameter> parameters);
    // Deletes the model in the service, too: a session can't keep one for each size of many pictures.
    ~ImageConversion();
    ImageConversion(const ImageConversion&) = delete;
    ImageConversion& operator=(const ImageConversion&) = delete;

    // Both are only looked at when no job runs.
    [[nodiscard]] std::span<uint8_t> ownBytes() const noexcept { return memory_.bytes; }
    // Runs the job with `other`'s memory in the other place. Throws ToolError.
    void run(const larodTensor* other, const std::vector<Parameter>& jobParameters) const;

  private:
    struct OwnMemory {
        UniqueFd file;
        std::span<uint8_t> bytes;

        OwnMemory() = default;
        OwnMemory(const OwnMemory&) = delete;
        OwnMemory& operator=(const OwnMemory&) = delete;
        ~OwnMemory();
        void allocate(size_t sizeBytes);
    };

    larodConnection* conn_;
    Direction own_;
    ModelHandle model_;
    TensorArray inputs_;
    TensorArray outputs_;
    OwnMemory memory_;
};

// Lives shorter than its connection. Thread: one at a time.
class PictureConverter {
  public:
    PictureConverter(larodConnection* conn, const PictureOptions& options) : conn_(conn), options_(options) {}

    // Fills the tensor, which has its memory. `what` it is stands in messages. Throws ToolError: it is no image, or the
    // device does not convert to it.
    void fill(const Picture& picture, const larodTensor* input, const std::string& what);

    // What fill() does with a picture, for people.
    [[nodiscard]] std::string description(const Picture& picture, const larodTensor* input) const;

    // Of an output tensor. Throws ToolError: it is no image of uint8.
    [[nodiscard]] Picture pictureOf(const TensorBuffers& outputs, size_t index) const;

  private:
    [[nodiscard]] std::vector<Parameter> normalisation(const ImageTensor& input) const;

    larodConnection* conn_;
    PictureOptions options_;
    // The last one, for the next picture of the same size.
    std::optional<ImageConversion> conversion_;
    std::string conversionKey_;
};

}  // namespace larod::tools
