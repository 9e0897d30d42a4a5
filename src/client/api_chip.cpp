// SPDX-License-Identifier: Apache-2.0
// larod.h: chips, which versions 1 and 2 of the interface have in place of devices.
#define LAROD_API_VERSION_2
#include <algorithm>
#include <cstdlib>
#include <new>
#include <vector>

#include "client/chip.h"
#include "client/connection.h"
#include "client/guard.h"
#include "client/model.h"

using namespace larod::client;

LAROD_EXPORT const char* larodGetChipName(const larodChip chip) {
    return chipName(chip);
}

LAROD_EXPORT bool larodListChips(larodConnection* conn, larodChip** chips, size_t* numChips, larodError** error) {
    return guard(error, [&] {
        require(conn, "conn");
        require(chips, "chips");
        std::vector<larodChip> found;
        for (const larodDevice& device : conn->devices()) {
            const larodChip chip = chipOfDevice(device.name);
            if (chip != LAROD_CHIP_INVALID && std::ranges::count(found, chip) == 0) {
                found.push_back(chip);
            }
        }
        // The application releases it with free().
        auto* array = static_cast<larodChip*>(std::calloc(std::max<size_t>(found.size(), 1), sizeof(larodChip)));
        if (array == nullptr) {
            throw std::bad_alloc();
        }
        std::ranges::copy(found, array);
        *chips = array;
        if (numChips != nullptr) {
            *numChips = found.size();
        }
    });
}

LAROD_EXPORT larodChip larodGetModelChip(const larodModel* model, larodError** error) {
    return guard(error, LAROD_CHIP_INVALID, [&] {
        require(model, "model");
        const larodChip chip = chipOfDevice(model->deviceName);
        if (chip == LAROD_CHIP_INVALID) {
            throw larod::Error(LAROD_ERROR_INVALID_CHIP_ID, "device {} has no chip number; ask for larodGetModelDevice",
                               model->deviceName);
        }
        return chip;
    });
}
