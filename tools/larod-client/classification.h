// SPDX-License-Identifier: Apache-2.0
// An output that has a score for each class.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "larod-client/tensor_buffers.h"
#include "larod-client/tensor_elements.h"
#include "larod-client/tflite_quantization.h"

namespace larod::tools {

struct Scores {
    std::vector<double> values;  // by class
    std::string meaning;         // what a value is
};

// Whatever is from 0 to 1 and adds up to 1 is taken for probabilities; other values become some by softmax. Integers
// whose quantisation is not known are probabilities where the usual one makes them so, and otherwise stay what they
// are.
[[nodiscard]] Scores scoresOf(const TensorElements& output, const std::optional<Quantization>& quantization);

// The places of the greatest values, the greatest first; of equal ones the first comes first. `count` of them, or all
// where there are not so many.
[[nodiscard]] std::vector<size_t> greatest(std::span<const double> values, size_t count);

// A name a class.
class Labels {
  public:
    // Without names: classes are called by their numbers.
    Labels() = default;
    // From the lines of a file. Throws ToolError: no file, or no line.
    explicit Labels(const std::string& fileName);

    // Throws ToolError where there are names, and not one for each class.
    void checkCount(size_t classes) const;
    // "class 3" where there are no names.
    [[nodiscard]] std::string nameOf(size_t index) const;
    // Of a label as a file of truths has it: a name, or a number from 0. Throws ToolError where it is neither,
    // or the name of several classes.
    [[nodiscard]] size_t classOf(const std::string& label) const;

  private:
    std::string fileName_;
    std::vector<std::string> names_;
};

// Before any job: throws ToolError where the model has several outputs, or the labels don't fit its one.
void checkClassification(const TensorBuffers& outputs, const Labels& labels);

// Prints the best `count` classes of the model's one output; `modelFile`, "" for none, may tell its quantisation.
// checkClassification() has been passed. Throws ToolError.
void printClassification(const TensorBuffers& outputs, const std::string& modelFile, const Labels& labels,
                         size_t count);

// All of an output's elements. Throws ToolError.
[[nodiscard]] TensorElements readElements(const TensorBuffers& outputs, size_t index);

}  // namespace larod::tools
