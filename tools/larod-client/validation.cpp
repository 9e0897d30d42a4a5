// SPDX-License-Identifier: Apache-2.0
// What is looked at in the outputs of the last job.
#include "larod-client/validation.h"

#include <fmt/format.h>

#include <cerrno>

#include "larod-client/classification.h"
#include "larod-client/comparison.h"
#include "larod-client/image_tensor.h"
#include "larod-client/picture_converter.h"
#include "larod-client/stamped_output.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

void saveImage(larodConnection* conn, const TensorBuffers& outputs, const Options& options) {
    const PictureConverter converter(conn, options.pictures);
    for (size_t index = 0; index < outputs.size(); ++index) {
        const auto image = imageTensor(outputs.tensors()[index]);
        if (image && image->type == "uint8") {
            writePicture(options.validate.savedImage, converter.pictureOf(outputs, index));
            printStamped(fmt::format("Image of {} saved to '{}': {}", outputs.nameOf(index),
                                     options.validate.savedImage, image->text()));
            return;
        }
    }
    throw ToolError(EINVAL, "--save-image: no output is an image of uint8 with three channels, or nv12");
}

}  // namespace

std::optional<std::string> validateOutputs(larodConnection* conn, const TensorBuffers& outputs,
                                           const Options& options) {
    const ValidateOptions& validate = options.validate;
    if (!validate.savedImage.empty()) {
        saveImage(conn, outputs, options);
    }
    if (validate.classifies()) {
        const Labels labels = validate.labelsFile.empty() ? Labels() : Labels(validate.labelsFile);
        printClassification(outputs, options.model.file, labels,
                            static_cast<size_t>(validate.top.value_or(kDefaultTop)));
    }
    if (!validate.references.empty()) {
        return compareOutputs(outputs, validate.references, validate.tolerance.value_or(0));
    }
    return std::nullopt;
}

}  // namespace larod::tools
