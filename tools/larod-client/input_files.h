// SPDX-License-Identifier: Apache-2.0
// What stands in the input tensors: files of the command line, and random data.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "larod-client/measure_options.h"
#include "larod-client/tensor_buffers.h"

namespace larod::tools {

// `fill` makes the data of the input, in its buffer; a tensor that uses a file gets a memory file. Throws ToolError,
// and what `fill` throws.
void fillInput(TensorBuffers& inputs, size_t index, const std::function<void(std::span<std::byte>)>& fill);

// Fills the input from a file, or makes the file its buffer. Throws ToolError: a file that can't be read, is no regular
// file or is shorter than the tensor.
void takeInputFile(TensorBuffers& inputs, size_t index, const std::string& fileName);

// Gives the tensor a memory file where it has no memory, as those of files have none. Throws ToolError.
void giveMemory(TensorBuffers& inputs, size_t index);

// All inputs. `names` has one entry a tensor, or is a single empty name for all of them; an empty name stands for
// random data made from `seed`, one of a picture (picture_file.h) for an image, which is converted; where `tells`, a
// line on stdout says how. Throws ToolError: as above, and another number of names.
void fillInputs(larodConnection* conn, TensorBuffers& inputs, const std::vector<std::string>& names,
                const PictureOptions& pictures, uint64_t seed, bool tells);

}  // namespace larod::tools
