# SPDX-License-Identifier: Apache-2.0
"""The lint scripts find what they are made for, on made-up trees."""

import os
import tempfile
import unittest

import check_layers
import check_sources

LICENCE = "// SPDX-License-Identifier: Apache-2.0\n"


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name
        self.write("src/base/error.h")
        self.write("src/wire/codec.h", '#include "base/error.h"')
        self.write("src/buffer/mapping.h", '#include "base/error.h"')
        self.write("src/client/connection.h", '#include "wire/codec.h"\n#include "larod.h"')
        self.write("src/device/device.h", '#include "buffer/mapping.h"')
        self.write("src/device/debug/debug_device.h", '#include "device/device.h"')
        self.write("src/device/debug/delay.h", '#include "device/debug/debug_device.h"')
        self.write("src/device/litert/litert_device.h", '#include "device/device.h"')
        self.write("src/device/image/image_spec.h", '#include "device/device.h"')
        self.write("src/device/proc/proc_device.h", '#include "device/image/image_spec.h"')
        self.write("src/device/device_list.cpp", '#include "device/debug/debug_device.h"')
        self.write("src/session/session.h", '#include "device/device.h"\n#include "wire/codec.h"')
        self.write("src/service/main.cpp", '#include "session/session.h"\n#include "wire/codec.h"')
        self.write("tools/larod-run/main.cpp", '#include <vector>\n#include "options.h"\n#include "larod.h"')
        self.write("tools/larod-run/options.h", '#include <larod.h>')
        self.write("examples/app.c", '#include "larod.h"')

    def write(self, path, text=""):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(LICENCE + text + "\n")


class Layers(Tree):
    def expect_violation(self, path, include, text):
        self.write(path, include)
        found, _ = check_layers.violations(self.root)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(path + ": "), found)
        self.assertIn(text, found[0])

    def test_a_tree_that_keeps_to_them_passes(self):
        found, count = check_layers.violations(self.root)
        self.assertEqual(found, [])
        self.assertEqual(count, 20)

    def test_every_pair_is_as_the_table_says(self):
        layers = list(check_layers.LAYERS)
        for user in layers:
            for used in layers:
                self.write(f"src/{used}/target.h")
                self.write(f"src/{user}/user.cpp", f'#include "{used}/target.h"')
                found, _ = check_layers.violations(self.root)
                allowed = used == user or used in check_layers.LAYERS[user]
                self.assertEqual(found == [], allowed, f"{user} -> {used}: {found}")
                os.remove(os.path.join(self.root, f"src/{user}/user.cpp"))

    def test_the_table_is_closed(self):
        for layer, below in check_layers.LAYERS.items():
            for each in below:
                self.assertLessEqual(check_layers.LAYERS[each], below, layer)
                self.assertNotIn(layer, check_layers.LAYERS[each])

    def test_base_includes_nothing_above(self):
        self.expect_violation("src/base/log.cpp", '#include "wire/codec.h"', "base is not built on wire")

    def test_the_client_knows_no_device(self):
        self.expect_violation("src/client/tensor.cpp", '#include "device/device.h"', "client is not built on device")

    def test_devices_dont_know_the_wire(self):
        self.expect_violation("src/device/debug/echo.cpp", '#include "wire/codec.h"', "not built on wire")

    def test_devices_dont_know_each_other(self):
        self.expect_violation("src/device/debug/echo.cpp", '#include "device/litert/litert_device.h"', "single devices")

    def test_sessions_dont_know_single_devices(self):
        self.expect_violation("src/session/run.cpp", '#include "device/debug/debug_device.h"', "single devices")

    def test_sessions_dont_know_what_devices_share(self):
        self.expect_violation("src/session/run.cpp", '#include "device/image/image_spec.h"', "single devices")

    def test_paths_start_at_src(self):
        self.expect_violation("src/wire/channel.cpp", '#include "codec.h"', "no path from src/")

    def test_paths_dont_climb(self):
        self.expect_violation("src/wire/channel.cpp", '#include "../base/error.h"', "no path from src/")
        self.expect_violation("src/wire/channel.cpp", '#include "wire/../base/error.h"', "no path from src/")

    def test_angle_brackets_dont_hide_a_file_of_ours(self):
        self.expect_violation("src/base/log.cpp", "#  include <wire/codec.h>", "quotes")

    def test_a_new_folder_needs_a_place_in_the_table(self):
        self.expect_violation("src/common/utils.h", '#include "base/error.h"', "does not know the folder")

    def test_tools_use_public_headers_only(self):
        self.expect_violation("tools/larod-run/main.cpp", '#include "base/error.h"', "neither a public header")
        self.expect_violation("tools/larod-run/main.cpp", "#include <base/error.h>", "public headers only")
        self.expect_violation("tools/larod-run/main.cpp", '#include "../../src/base/error.h"', "neither")

    def test_status_files_of_larod_client_may_speak_the_wire_protocol(self):
        self.write("tools/larod-client/status_client.cpp", '#include "wire/codec.h"\n#include "client/handshake.h"')
        self.write("src/wire/codec.h")
        self.expect_violation("tools/larod-client/main.cpp", '#include "wire/codec.h"', "neither")

    def test_status_files_of_larod_client_use_no_more_of_the_library(self):
        self.expect_violation("tools/larod-client/status_client.cpp", '#include "client/guard.h"', "neither")

    def test_the_picture_file_of_larod_client_may_use_the_examples_reader(self):
        self.write("tools/larod-client/picture_file.cpp", '#include "image_file.h"')
        self.expect_violation("tools/larod-client/main.cpp", '#include "image_file.h"', "neither")

    def test_tools_dont_use_each_other(self):
        self.write("tools/larod-client/table.h")
        self.expect_violation("tools/larod-run/main.cpp", '#include "larod-client/table.h"', "another program")

    def test_tools_may_share_a_header_of_their_own(self):
        self.write("tools/unique_fd.h")
        self.write("tools/larod-run/main.cpp", '#include "unique_fd.h"\n#include "larod-run/options.h"')
        self.assertEqual(check_layers.violations(self.root)[0], [])

    def test_examples_use_public_headers_only(self):
        self.expect_violation("examples/app.c", '#include "wire/codec.h"', "neither")


class Sources(Tree):
    def expect_violation(self, path, text, what):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)
        found, _ = check_sources.violations(self.root)
        self.assertEqual(len(found), 1, found)
        self.assertTrue(found[0].startswith(path), found)
        self.assertIn(what, found[0])

    def test_a_clean_tree_passes(self):
        found, count = check_sources.violations(self.root)
        self.assertEqual(found, [])
        self.assertEqual(count, 16)

    def test_a_source_without_licence_is_found(self):
        self.expect_violation("src/base/new.h", "#pragma once\n", "SPDX")

    def test_a_script_without_licence_is_found(self):
        self.expect_violation("scripts/run", "#!/bin/bash\necho\n", "SPDX")

    def test_a_script_with_licence_in_its_second_line_passes(self):
        self.write("scripts/run", "")
        with open(os.path.join(self.root, "scripts/run"), "w", encoding="utf-8") as file:
            file.write("#!/bin/bash\n# SPDX-License-Identifier: Apache-2.0\n")
        self.assertEqual(check_sources.violations(self.root)[0], [])

    def test_unfinished_work_is_found(self):
        for word in ("TO" + "DO", "FIX" + "ME"):
            self.expect_violation("src/base/new.h", LICENCE + f"// {word}: later\n", "unfinished")

    def test_a_path_of_one_machine_is_found(self):
        for folder in ("work", "home", "root"):
            self.expect_violation("docs/page.md", f"see /{folder}/me/file\n", "one machine")

    def test_a_path_that_only_looks_like_it_passes(self):
        for folder in ("work", "home"):
            self.write(f"docs/{folder}.md", f"frame/{folder}/item")
        self.assertEqual(check_sources.violations(self.root)[0], [])

    def test_the_link_of_a_git_worktree_is_not_read(self):
        with open(os.path.join(self.root, ".git"), "w", encoding="utf-8") as file:
            file.write("gitdir: /ho" + "me/me/project/.git/worktrees/part\n")
        self.assertEqual(check_sources.violations(self.root)[0], [])

    def test_builds_are_not_read(self):
        os.makedirs(os.path.join(self.root, "build"))
        with open(os.path.join(self.root, "build/gen.h"), "w", encoding="utf-8") as file:
            file.write("no licence\n")
        self.assertEqual(check_sources.violations(self.root)[0], [])


if __name__ == "__main__":
    unittest.main()
