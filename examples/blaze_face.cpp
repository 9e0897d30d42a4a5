// SPDX-License-Identifier: Apache-2.0
// Makes faces of the outputs of BlazeFace, short range.
#include "blaze_face.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace example {

namespace {

// Of the same face: boxes that share this part of their union ...
constexpr float kSameFaceOverlap = 0.3F;
// ... or of the smaller one, when a window has cut a face off.
constexpr float kSameFaceCover = 0.6F;
// Logits beyond this say nothing more.
constexpr float kMaxLogit = 100.0F;

struct Grid {
    int cells;           // a side
    int anchorsPerCell;  // all in the cell's centre
};
constexpr std::array<Grid, 2> kGrids = {{{16, 2}, {8, 6}}};

std::array<Point, kNumAnchors> makeAnchors() {
    std::array<Point, kNumAnchors> anchors;
    size_t index = 0;
    for (const Grid& grid : kGrids) {
        const auto cells = static_cast<float>(grid.cells);
        for (int y = 0; y < grid.cells; ++y) {
            for (int x = 0; x < grid.cells; ++x) {
                for (int anchor = 0; anchor < grid.anchorsPerCell; ++anchor) {
                    anchors[index++] = {(static_cast<float>(x) + 0.5F) / cells, (static_cast<float>(y) + 0.5F) / cells};
                }
            }
        }
    }
    return anchors;
}

float area(const Face& face) {
    return face.width * face.height;
}

float sharedArea(const Face& a, const Face& b) {
    const float width = std::min(a.left + a.width, b.left + b.width) - std::max(a.left, b.left);
    const float height = std::min(a.top + a.height, b.top + b.height) - std::max(a.top, b.top);
    return std::max(width, 0.0F) * std::max(height, 0.0F);
}

bool overlap(const Face& a, const Face& b) {
    const float shared = sharedArea(a, b);
    return shared > kSameFaceOverlap * (area(a) + area(b) - shared);
}

bool covered(const Face& a, const Face& b) {
    return sharedArea(a, b) > kSameFaceCover * std::min(area(a), area(b));
}

Face weightedMean(const std::vector<Face>& faces) {
    float total = 0;
    for (const Face& face : faces) {
        total += face.score;
    }
    Face mean;
    mean.score = faces.front().score;
    for (const Face& face : faces) {
        const float weight = face.score / total;
        mean.left += weight * face.left;
        mean.top += weight * face.top;
        mean.width += weight * face.width;
        mean.height += weight * face.height;
        for (size_t index = 0; index < kNumKeypoints; ++index) {
            mean.keypoints[index].x += weight * face.keypoints[index].x;
            mean.keypoints[index].y += weight * face.keypoints[index].y;
        }
    }
    return mean;
}

}  // namespace

std::vector<Face> decodeFaces(std::span<const float> regressors, std::span<const float> logits, const Window& window,
                              float minScore) {
    if (regressors.size() != kNumAnchors * kValuesPerAnchor || logits.size() != kNumAnchors) {
        throw std::runtime_error("the model's outputs are not those of BlazeFace short range");
    }
    static const std::array<Point, kNumAnchors> anchors = makeAnchors();
    const auto windowWidth = static_cast<float>(window.width);
    const auto windowHeight = static_cast<float>(window.height);
    std::vector<Face> faces;
    for (size_t anchor = 0; anchor < kNumAnchors; ++anchor) {
        Face face;
        face.score = 1 / (1 + std::exp(-std::clamp(logits[anchor], -kMaxLogit, kMaxLogit)));
        if (face.score < minScore) {
            continue;
        }
        const std::span<const float> values = regressors.subspan(anchor * kValuesPerAnchor, kValuesPerAnchor);
        const auto position = [&](size_t index) -> Point {
            return {
                static_cast<float>(window.left) + (anchors[anchor].x + values[index] / kBlazeFaceSide) * windowWidth,
                static_cast<float>(window.top) +
                    (anchors[anchor].y + values[index + 1] / kBlazeFaceSide) * windowHeight};
        };
        const Point centre = position(0);
        face.width = values[2] / kBlazeFaceSide * windowWidth;
        face.height = values[3] / kBlazeFaceSide * windowHeight;
        face.left = centre.x - face.width / 2;
        face.top = centre.y - face.height / 2;
        for (size_t index = 0; index < kNumKeypoints; ++index) {
            face.keypoints[index] = position(4 + 2 * index);
        }
        faces.push_back(face);
    }
    return faces;
}

std::vector<Face> mergeFaces(std::vector<Face> candidates) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Face& a, const Face& b) { return a.score > b.score; });
    std::vector<Face> merged;
    while (!candidates.empty()) {
        const Face best = candidates.front();
        std::vector<Face> same;
        std::vector<Face> others;
        for (const Face& face : candidates) {
            if (&face == &candidates.front() || overlap(best, face)) {
                same.push_back(face);
            } else if (!covered(best, face)) {
                others.push_back(face);
            }
        }
        merged.push_back(weightedMean(same));
        candidates = std::move(others);
    }
    return merged;
}

}  // namespace example
