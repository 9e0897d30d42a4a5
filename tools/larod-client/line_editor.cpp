// SPDX-License-Identifier: Apache-2.0
// Lines that are typed at a terminal, by libedit.
#include <histedit.h>

#include <algorithm>
#include <cerrno>
#include <clocale>
#include <cstdio>
#include <cstdlib>

#include "larod-client/command_words.h"
#include "larod-client/line_source.h"
#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

constexpr size_t kListedWidth = 80;

// In the library's characters, which are not bytes.
int characters(const std::string& text) {
    const size_t count = std::mbstowcs(nullptr, text.c_str(), 0);
    return static_cast<int>(count == static_cast<size_t>(-1) ? text.size() : count);
}

class LineEditor : public LineSource {
  public:
    LineEditor(HistoryFile file, Completer completer)
        : file_(std::move(file)),
          completer_(std::move(completer)),
          history_(history_init()),
          editLine_(el_init("larod-client", stdin, stdout, stderr)) {
        if (history_ == nullptr || editLine_ == nullptr) {
            throw ToolError(ENOTTY, "The line editor can't be started at this terminal");
        }
        HistEvent event;
        history(history_.get(), &event, H_SETSIZE, static_cast<int>(kMaxHistoryLines));
        history(history_.get(), &event, H_SETUNIQUE, 1);
        for (const std::string& line : file_.load()) {
            history(history_.get(), &event, H_ENTER, line.c_str());
        }
        EditLine* const editor = editLine_.get();
        el_set(editor, EL_CLIENTDATA, this);
        el_set(editor, EL_PROMPT, &LineEditor::promptText);
        el_set(editor, EL_EDITOR, "emacs");
        el_set(editor, EL_HIST, history, history_.get());
        el_set(editor, EL_ADDFN, "complete", "Complete the word", &LineEditor::onTab);
        el_set(editor, EL_ADDFN, "give-up", "Give the line up", &LineEditor::onInterrupt);
        el_set(editor, EL_BIND, "^R", "em-inc-search-prev", nullptr);
        el_source(editor, nullptr);  // what the user likes, ~/.editrc
        el_set(editor, EL_BIND, "^I", "complete", nullptr);
        // Ctrl-C is a key while a line is typed, and a signal while a command runs.
        el_set(editor, EL_SETTY, "-d", "-isig", nullptr);
        el_set(editor, EL_BIND, "^C", "give-up", nullptr);
    }

    [[nodiscard]] std::optional<std::string> next(Prompt prompt) override {
        prompt_ = prompt;
        givenUp_ = false;
        el_resize(editLine_.get());
        // Before the prompt, which the library writes first: a Ctrl-D that answers it would be lost in the terminal.
        el_set(editLine_.get(), EL_PREP_TERM, 1);
        int count = 0;
        const char* text = el_gets(editLine_.get(), &count);
        if (givenUp_) {
            return std::string();
        }
        if (text == nullptr || count <= 0) {
            std::fputs("\n", stdout);  // the shell's prompt is to stand at the beginning of a line
            std::fflush(stdout);
            return std::nullopt;
        }
        std::string line(text, static_cast<size_t>(count));
        if (line.ends_with('\n')) {
            line.pop_back();
        }
        return line;
    }

    [[nodiscard]] bool isGivenUp() const override { return givenUp_; }

    void remember(const std::string& command) override {
        HistEvent event;
        history(history_.get(), &event, H_ENTER, command.c_str());
        file_.append(command);
    }

  private:
    struct HistoryEnder {
        void operator()(History* toEnd) const noexcept { history_end(toEnd); }
    };
    struct EditLineEnder {
        void operator()(EditLine* toEnd) const noexcept { el_end(toEnd); }
    };

    static LineEditor& of(EditLine* editor) {
        LineEditor* self = nullptr;
        el_get(editor, EL_CLIENTDATA, &self);
        return *self;
    }

    // The library's text type is not const.
    static char* promptText(EditLine* editor) {
        static char command[] = "> ";
        static char continuation[] = "... ";
        return of(editor).prompt_ == Prompt::Command ? command : continuation;
    }

    static unsigned char onInterrupt(EditLine* editor, int) {
        of(editor).givenUp_ = true;
        std::fputs("^C\n", stdout);
        std::fflush(stdout);
        return CC_NEWLINE;
    }

    static unsigned char onTab(EditLine* editor, int) {
        const LineInfo* info = el_line(editor);
        const std::string line(info->buffer, info->cursor);
        const Completions found = of(editor).completer_(line);
        const std::string begun = line.substr(found.from);
        const std::string common = found.common();
        std::string whole = common.empty() ? "" : tools::quoted(common);  // not std::quoted
        if (found.words.size() == 1 && !found.goOn) {
            whole += ' ';
        }
        if (whole.size() > begun.size()) {
            el_deletestr(editor, characters(begun));
            el_insertstr(editor, whole.c_str());
            return CC_REFRESH;
        }
        if (found.words.size() < 2) {
            return CC_REFRESH_BEEP;
        }
        list(found.words);
        return CC_REDISPLAY;
    }

    // Columns, as a shell lists what a word can become.
    static void list(const std::vector<std::string>& words) {
        const auto longest = std::max_element(words.begin(), words.end(), [](const auto& left, const auto& right) {
                                 return left.size() < right.size();
                             })->size();
        const size_t columns = std::max<size_t>(1, kListedWidth / (longest + 2));
        std::fputs("\n", stdout);
        for (size_t index = 0; index < words.size(); ++index) {
            const bool last = (index + 1) % columns == 0 || index + 1 == words.size();
            std::printf("%-*s%s", last ? 0 : static_cast<int>(longest + 2), words[index].c_str(), last ? "\n" : "");
        }
        std::fflush(stdout);
    }

    HistoryFile file_;
    Completer completer_;
    std::unique_ptr<History, HistoryEnder> history_;
    std::unique_ptr<EditLine, EditLineEnder> editLine_;  // has a pointer to history_
    Prompt prompt_ = Prompt::Command;
    bool givenUp_ = false;
};

}  // namespace

bool hasLineEditor() noexcept {
    return true;
}

std::unique_ptr<LineSource> makeLineEditor(HistoryFile file, Completer completer) {
    std::setlocale(LC_CTYPE, "");  // what a character is; numbers stay as they are
    return std::make_unique<LineEditor>(std::move(file), std::move(completer));
}

}  // namespace larod::tools
