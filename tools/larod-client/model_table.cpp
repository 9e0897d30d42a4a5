// SPDX-License-Identifier: Apache-2.0
// The table of models that --list-models prints.
#include "larod-client/model_table.h"

#include <fmt/format.h>

#include "larod-client/text_table.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

// The handles as the library hands them out.
class ModelArray {
  public:
    explicit ModelArray(larodConnection* conn) {
        LarodError error;
        models_ = larodGetModels(conn, &count_, error.out());
        if (models_ == nullptr) {
            throw error.toolError("Could not list the models");
        }
    }
    ~ModelArray() { larodDestroyModels(&models_, count_); }
    ModelArray(const ModelArray&) = delete;
    ModelArray& operator=(const ModelArray&) = delete;

    [[nodiscard]] size_t size() const noexcept { return count_; }
    [[nodiscard]] const larodModel* operator[](size_t index) const noexcept { return models_[index]; }

  private:
    larodModel** models_ = nullptr;
    size_t count_ = 0;
};

}  // namespace

const char* accessText(larodAccess access) noexcept {
    switch (access) {
        case LAROD_ACCESS_PRIVATE:
            return "private";
        case LAROD_ACCESS_PUBLIC:
            return "public";
        case LAROD_ACCESS_USER_PROTECTED:
            return "user-protected";
        default:
            return "unknown";
    }
}

std::string modelTable(larodConnection* conn) {
    const ModelArray models(conn);
    TextTable table(
        {{"Id", TextTable::Align::Right}, {"Device"}, {"Access"}, {"Bytes", TextTable::Align::Right}, {"Name"}});
    for (size_t index = 0; index < models.size(); ++index) {
        LarodError error;
        const larodModel* model = models[index];
        const larodDevice* device = larodGetModelDevice(model, error.out());
        const char* deviceName = device == nullptr ? nullptr : larodGetDeviceName(device, error.out());
        const char* name = larodGetModelName(model, error.out());
        if (deviceName == nullptr || name == nullptr) {
            throw error.toolError("Could not describe a model");
        }
        table.addRow({fmt::format("{}", larodGetModelId(model, nullptr)), printable(deviceName),
                      accessText(larodGetModelAccess(model, nullptr)),
                      fmt::format("{}", larodGetModelSize(model, nullptr)), printable(name)});
    }
    return table.text();
}

}  // namespace larod::tools
