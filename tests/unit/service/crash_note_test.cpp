// SPDX-License-Identifier: Apache-2.0
// The sentences that clients read when their session ended badly.
#include "service/crash_note.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace larod::service {
namespace {

// The wait status of a process that ended so.
int signalled(int signal) {
    return signal;
}
int exited(int status) {
    return status << 8U;
}

TEST(CrashNote, NamesSignalModelAndDevice) {
    SessionEnd end{signalled(SIGSEGV), "", Activity::Running, "cpu-tflite", "face"};
    EXPECT_EQ(crashNote(end),
              "the session was ended by signal 11 (Segmentation fault) while running a job of model 'face' on "
              "cpu-tflite; the model or its parameters are probably not fit for this device");
}

TEST(CrashNote, ReadsTheStatusThatTheKernelGives) {
    const pid_t child = ::fork();
    if (child == 0) {
        ::kill(::getpid(), SIGKILL);
        ::_exit(0);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(crashNote({status, "", Activity::Idle, "", ""}), "the session was ended by signal 9 (Killed)");
}

TEST(CrashNote, DoesWithoutNamesThatAreUnknown) {
    EXPECT_EQ(crashNote({signalled(SIGABRT), "", Activity::Running, "", ""}),
              "the session was ended by signal 6 (Aborted) while running a job of a model; the model or its parameters "
              "are probably not fit for this device");
}

TEST(CrashNote, DoesNotNameTheModelThatIsBeingLoaded) {
    EXPECT_EQ(
        crashNote({signalled(SIGILL), "", Activity::Loading, "debug-device", "the one before"}),
        "the session was ended by signal 4 (Illegal instruction) while loading a model on debug-device; the model "
        "or its parameters are probably not fit for this device");
}

TEST(CrashNote, DoesNotBlameAModelWhileTheSessionIsIdle) {
    EXPECT_EQ(crashNote({signalled(SIGSEGV), "", Activity::Idle, "cpu-tflite", "face"}),
              "the session was ended by signal 11 (Segmentation fault)");
}

TEST(CrashNote, SaysThatTheSandboxEndedIt) {
    EXPECT_EQ(crashNote({signalled(SIGSYS), "", Activity::Loading, "cpu-tflite", ""}),
              "the session was ended by signal 31 (Bad system call) while loading a model on cpu-tflite; it made a "
              "system call that its sandbox does not allow");
    EXPECT_EQ(crashNote({signalled(SIGSYS), "", Activity::Idle, "", ""}),
              "the session was ended by signal 31 (Bad system call); it made a system call that its sandbox does not "
              "allow");
}

TEST(CrashNote, SaysWhyTheServiceEndedIt) {
    EXPECT_EQ(crashNote({signalled(SIGKILL), "its job took too long", Activity::Running, "debug-device", "slow"}),
              "the service ended this session while running a job of model 'slow' on debug-device: its job took too "
              "long");
}

TEST(CrashNote, NamesTheStatusOfASessionThatEndedByItself) {
    EXPECT_EQ(crashNote({exited(3), "", Activity::Idle, "", ""}), "the session ended with status 3");
}

TEST(CrashNote, SurvivesSignalsAndActivitiesThatDoNotExist) {
    EXPECT_EQ(crashNote({signalled(SIGRTMAX), "", static_cast<Activity>(77), "", ""}).substr(0, 39),
              "the session was ended by signal 64 (?);");
}

}  // namespace
}  // namespace larod::service
