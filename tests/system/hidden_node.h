// SPDX-License-Identifier: Apache-2.0
// A machine without one of its device nodes.
#pragma once

#include <gtest/gtest.h>
#include <stdio.h>

#include <string>
#include <utility>

namespace larod::test {

// The node is not there as long as this lives. For a test that has the machine to itself.
class HiddenNode {
  public:
    explicit HiddenNode(std::string node) : node_(std::move(node)) {
        EXPECT_EQ(::rename(node_.c_str(), away().c_str()), 0);
    }
    ~HiddenNode() { EXPECT_EQ(::rename(away().c_str(), node_.c_str()), 0); }
    HiddenNode(const HiddenNode&) = delete;
    HiddenNode& operator=(const HiddenNode&) = delete;

  private:
    [[nodiscard]] std::string away() const { return node_ + "-hidden"; }
    std::string node_;
};

}  // namespace larod::test
