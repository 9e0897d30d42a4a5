// SPDX-License-Identifier: Apache-2.0
// The thread of a model that calls the driver.
//
// Any call of a driver can take for ever, and no signal ends it: STREAMOFF and close wait for the hardware, and all
// others, poll included, for the driver's lock, which another file's close may hold meanwhile. So nobody else calls it,
// and those who need an answer wait for so long at most.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

namespace larod::device::v4l2 {

// Thread: any.
class DriverThread {
  public:
    // `owned` is the thread's, which destroys it at its end, when no work is done any more.
    using Work = std::function<void(std::shared_ptr<void>& owned)>;

    // Throws std::system_error without a thread.
    DriverThread();
    // Does not wait: the thread ends when the driver lets it, or with the process.
    ~DriverThread();
    DriverThread(const DriverThread&) = delete;
    DriverThread& operator=(const DriverThread&) = delete;

    // Has `work` done and waits for it. Throws what it throws. Throws Error(code) where it is not done in time, and at
    // once while an earlier one is overdue; it may be done later then, so it refers to nothing of the caller's.
    void call(Work work, uint64_t limitMs, int code);

    // Has `work` done some time, or never if the object ends before; it throws nothing.
    void post(Work work);

  private:
    struct Shared;
    const std::shared_ptr<Shared> shared_;
};

}  // namespace larod::device::v4l2
