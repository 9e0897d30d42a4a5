// SPDX-License-Identifier: Apache-2.0
// A job that runs while its starter does something else.
#include "larod-client/job_in_background.h"

#include <string>

#include "larod-client/power_wait.h"

namespace larod::tools {

JobInBackground::~JobInBackground() {
    std::unique_lock lock(mutex_);
    ended_.wait(lock, [this] { return !running_; });
}

void JobInBackground::start() {
    {
        const std::lock_guard lock(mutex_);
        running_ = true;
        failure_.reset();
    }
    LarodError error;
    const bool accepted = larodRunJobAsync(
        conn_, request_,
        [](void* userData, larodError* jobError) {
            auto* job = static_cast<JobInBackground*>(userData);
            const std::lock_guard lock(job->mutex_);
            job->running_ = false;
            if (jobError != nullptr) {
                job->failure_.emplace(jobError->code, std::string("Could not run the job: ") + jobError->msg);
            }
            job->ended_.notify_one();
        },
        this, error.out());
    if (!accepted) {
        const std::lock_guard lock(mutex_);
        running_ = false;
        throw error.toolError("Could not queue the job");
    }
}

void JobInBackground::wait() {
    PowerWait power;
    while (true) {
        {
            std::unique_lock lock(mutex_);
            ended_.wait(lock, [this] { return !running_; });
            if (!failure_) {
                return;
            }
        }
        if (failure_->code() != LAROD_ERROR_POWER_NOT_AVAILABLE || !power.again()) {
            throw *failure_;
        }
        start();
    }
}

}  // namespace larod::tools
