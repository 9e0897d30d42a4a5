// SPDX-License-Identifier: Apache-2.0
// Makes faces of the outputs of BlazeFace, short range: a network that looks at 128x128 pixels.
//
// It has 896 anchors, fixed points in the picture, and says for each one how likely a face is there and where it is in
// relation to the anchor. Two for each cell of a 16x16 grid, then six for each cell of an 8x8 grid, row by row.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace example {

inline constexpr int kBlazeFaceSide = 128;
inline constexpr size_t kNumAnchors = 896;
inline constexpr size_t kValuesPerAnchor = 16;  // x and y of the centre, width, height, x and y of six points
inline constexpr size_t kNumKeypoints = 6;      // right eye, left eye, nose, mouth, right ear, left ear

struct Point {
    float x = 0, y = 0;
};

struct Face {
    float left = 0, top = 0, width = 0, height = 0;
    std::array<Point, kNumKeypoints> keypoints;
    float score = 0;  // 0 to 1
};

// The part of a picture that the network saw.
struct Window {
    int left = 0, top = 0, width = 0, height = 0;
};

// All anchors with a score of at least `minScore`, in the coordinates in which `window` is given.
[[nodiscard]] std::vector<Face> decodeFaces(std::span<const float> regressors, std::span<const float> logits,
                                            const Window& window, float minScore);

// One face for each group of overlapping ones, best first. A face's place is the mean of its group by score.
[[nodiscard]] std::vector<Face> mergeFaces(std::vector<Face> candidates);

}  // namespace example
