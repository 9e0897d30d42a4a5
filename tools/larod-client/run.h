// SPDX-License-Identifier: Apache-2.0
// Runs jobs on a loaded model: fills the inputs, measures, writes the outputs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "larod-client/file_identity.h"
#include "larod-client/handles.h"
#include "larod-client/job_loop.h"
#include "larod-client/options.h"
#include "larod-client/output_files.h"
#include "larod-client/tensor_buffers.h"

namespace larod::tools {

// A request for the tensors, with what the options say about jobs. Throws ToolError.
[[nodiscard]] RequestHandle makeJobRequest(const larodModel* model, const TensorBuffers& inputs,
                                           const TensorBuffers& outputs, const JobOptions& options);

// What a job works with. Lives shorter than its connection.
class JobBuffers {
  public:
    // Makes the tensors of the model, fills the inputs (random ones from `seed`) and opens the output files, of which
    // none may be one of `read`. `tells`: prints what became of pictures. Throws ToolError.
    JobBuffers(larodConnection* conn, const larodModel* model, const TensorOptions& options,
               const PictureOptions& pictures, uint64_t seed, const std::vector<FileIdentity>& read, bool tells);

    [[nodiscard]] const TensorBuffers& inputs() const noexcept { return inputs_; }
    [[nodiscard]] const TensorBuffers& outputs() const noexcept { return outputs_; }

    // Throws ToolError.
    [[nodiscard]] RequestHandle makeRequest(const larodModel* model, const JobOptions& options) const {
        return makeJobRequest(model, inputs_, outputs_, options);
    }

    // After the last job: makes the output files complete. Throws ToolError.
    void writeOutputs() const { files_->write(); }
    [[nodiscard]] const std::vector<std::string>& outputNames() const noexcept { return names_; }

  private:
    TensorBuffers inputs_;  // with their data
    TensorBuffers outputs_;
    std::vector<std::string> names_;
    std::optional<OutputFiles> files_;  // opened when the inputs are there
};

// The rounds that are not counted. Throws ToolError.
void warmUp(larodConnection* conn, const larodJobRequest* request, const JobOptions& options);

// The rounds that are, in the way that the options name; `observer` may be nullptr. Throws ToolError.
[[nodiscard]] RoundsResult measureRounds(larodConnection* conn, const larodJobRequest* request, const Options& options,
                                         JobObserver* observer);

// "Mean execution time for job: 1.50 ms": scripts take the number out of it, so it has a point whatever the locale.
[[nodiscard]] std::string meanLine(const RoundsResult& result);

// The whole of it, with the lines that it prints. Throws ToolError.
void runModel(larodConnection* conn, const larodModel* model, const Options& options);

}  // namespace larod::tools
