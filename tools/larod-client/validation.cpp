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

// The output that --save-image is about.
size_t imageOutput(const TensorBuffers& outputs) {
    for (size_t index = 0; index < outputs.size(); ++index) {
        const auto image = imageTensor(outputs.tensors()[index]);
        if (image && image->type == "uint8") {
            return index;
        }
    }
    throw ToolError(EINVAL, "--save-image: no output is an image of uint8 with three channels, or nv12");
}

void saveImage(larodConnection* conn, const TensorBuffers& outputs, const Options& options) {
    const size_t index = imageOutput(outputs);
    writePicture(options.validate.savedImage, PictureConverter(conn, options.pictures).pictureOf(outputs, index));
    printStamped(fmt::format("Image of {} saved to '{}': {}", outputs.nameOf(index), options.validate.savedImage,
                             imageTensor(outputs.tensors()[index])->text()));
}

Labels labelsOf(const ValidateOptions& options) {
    return options.labelsFile.empty() ? Labels() : Labels(options.labelsFile);
}

}  // namespace

void checkValidation(const TensorBuffers& outputs, const Options& options) {
    const ValidateOptions& validate = options.validate;
    if (!validate.savedImage.empty()) {
        static_cast<void>(imageOutput(outputs));
    }
    if (validate.classifies()) {
        checkClassification(outputs, labelsOf(validate));
    }
    if (!validate.references.empty()) {
        checkReferences(outputs, validate.references);
    }
}

std::optional<std::string> validateOutputs(larodConnection* conn, const TensorBuffers& outputs,
                                           const Options& options) {
    const ValidateOptions& validate = options.validate;
    if (!validate.savedImage.empty()) {
        saveImage(conn, outputs, options);
    }
    if (validate.classifies()) {
        printClassification(outputs, options.model.file, labelsOf(validate),
                            static_cast<size_t>(validate.top.value_or(kDefaultTop)));
    }
    if (!validate.references.empty()) {
        return compareOutputs(outputs, validate.references, validate.tolerance.value_or(0));
    }
    return std::nullopt;
}

}  // namespace larod::tools
