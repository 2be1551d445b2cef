// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

#include "tools/train/report.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "absl/strings/str_format.h"

namespace hpcnn::train {
namespace {

const char* Name(const Phase& phase) {
  return phase.augmented ? "augmented" : "plain";
}

double Percent(double fraction) { return 100 * fraction; }

double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

Report::Report() : is_terminal_(isatty(STDERR_FILENO) != 0) {}

absl::Status Report::Open(const std::string& metrics_path) {
  return metrics_.Open(metrics_path);
}

absl::Status Report::Close() {
  const absl::Status printed = CheckWritten(stdout, "standard output");
  return printed.ok() ? metrics_.CheckWritten() : printed;
}

void Report::Begin(const Phase& phase) {
  phase_ = phase;
  epoch_start_ = Clock::now();
  if (phase.augmented) absl::PrintF("Starting %d workers...\n", phase.workers);
  std::fflush(stdout);
}

double Report::Rate(const EpochRecord& so_far) const {
  return Ratio(
      static_cast<double>(so_far.images),
      std::chrono::duration<double>(Clock::now() - epoch_start_).count());
}

void Report::OnStep(const EpochRecord& so_far, std::size_t step,
                    std::size_t steps) {
  // The clock is read every 16 steps of many, the terminal written ten times a
  // second.
  if (step % 16 != 0 && steps > 256) return;
  if (!is_terminal_) return;
  const Clock::time_point now = Clock::now();
  if (now - last_bar_ < std::chrono::milliseconds(100)) return;
  last_bar_ = now;

  constexpr std::size_t kWidth = 24;
  const double rate = Rate(so_far);
  const double per_step =
      static_cast<double>(so_far.images) / static_cast<double>(step);
  const double left = static_cast<double>(steps - step) +
                      static_cast<double>(phase_.epochs - so_far.epoch - 1) *
                          static_cast<double>(steps);
  constexpr char kFull[] = "########################";
  constexpr char kEmpty[] = "........................";
  static_assert(sizeof(kFull) == kWidth + 1 && sizeof(kEmpty) == kWidth + 1);
  const int filled = static_cast<int>(kWidth * step / steps);
  absl::FPrintF(
      stderr,
      "\r%s epoch %d/%d [%.*s%.*s] %d/%d  %.0f k img/s  eta %.0f s  loss %.3f ",
      Name(phase_), so_far.epoch + 1, phase_.epochs, filled, kFull,
      static_cast<int>(kWidth) - filled, kEmpty, step, steps, rate / 1000,
      Ratio(left * per_step, rate),
      so_far.loss / static_cast<double>(so_far.images));
  std::fflush(stderr);
  bar_shown_ = true;
}

void Report::ClearBar() {
  if (!bar_shown_) return;
  absl::FPrintF(stderr, "\r\33[K");  // erase to the end of the line
  std::fflush(stderr);
  bar_shown_ = false;
}

void Report::OnEpoch(const EpochRecord& epoch) {
  ClearBar();
  const double rate = Ratio(static_cast<double>(epoch.images), epoch.seconds);
  const double wait = Ratio(epoch.wait_seconds, epoch.seconds);
  absl::PrintF("Epoch %d, accuracy %.2f %%.\n", epoch.epoch + 1,
               Percent(epoch.validation_accuracy));
  std::fflush(stdout);
  if (!is_terminal_) {
    absl::FPrintF(
        stderr, "%s epoch %d/%d: loss %.4f, %.0f images/s, data wait %.0f %%\n",
        Name(phase_), epoch.epoch + 1, phase_.epochs, epoch.loss, rate,
        Percent(wait));
  }
  if (metrics_.get() != nullptr) {
    absl::FPrintF(metrics_.get(),
                  "{\"event\":\"epoch\",\"phase\":\"%s\",\"epoch\":%d,"
                  "\"val_accuracy\":%.4f,\"loss\":%.6f,\"seconds\":%.6f,"
                  "\"images_per_second\":%.1f,\"wait_fraction\":%.4f,"
                  "\"workers\":%d}\n",
                  Name(phase_), epoch.epoch + 1,
                  Percent(epoch.validation_accuracy), epoch.loss, epoch.seconds,
                  rate, wait, phase_.workers);
    std::fflush(metrics_.get());
  }
  epoch_start_ = Clock::now();
}

void Report::End(const PhaseResult& result) {
  ClearBar();
  const History& history = result.history;
  absl::PrintF("Time %s: %.3f\n",
               result.phase.augmented ? "with image processing" : "regular",
               history.seconds);
  if (history.failure) {
    absl::FPrintF(stderr,
                  "train: %s; the weights are those before that batch; try a "
                  "smaller --lr\n",
                  history.failure->Text());
  }
  if (!result.tested) {
    absl::PrintF("Stopped after %d of %d epochs.\n", history.epochs.size(),
                 result.phase.epochs);
  } else {
    absl::PrintF("Test Accuracy: %.2f%%\n", Percent(result.test_accuracy));
  }
  std::fflush(stdout);
  if (metrics_.get() != nullptr) {
    absl::FPrintF(
        metrics_.get(),
        "{\"event\":\"summary\",\"phase\":\"%s\",\"test_accuracy\":%s,"
        "\"seconds\":%.6f,\"weights_sha256\":\"%s\",\"workers\":%d,"
        "\"threads\":%d,\"stopped\":%s%s}\n",
        Name(result.phase),
        !result.tested ? "null"
                       : absl::StrFormat("%.4f", Percent(result.test_accuracy)),
        history.seconds, result.weights_sha256, result.phase.workers,
        result.phase.threads, result.tested ? "false" : "true",
        history.failure
            ? absl::StrFormat(",\"failure\":\"%s\"", history.failure->Text())
            : "");
    std::fflush(metrics_.get());
  }
  results_.push_back(result);
}

bool Report::failed() const {
  return std::any_of(
      results_.begin(), results_.end(),
      [](const PhaseResult& r) { return r.history.failure.has_value(); });
}

void Report::Summary() const {
  const auto find = [&](bool augmented) {
    return std::find_if(
        results_.begin(), results_.end(), [=](const PhaseResult& r) {
          return r.phase.augmented == augmented && !r.history.epochs.empty();
        });
  };
  const auto plain = find(false);
  const auto augmented = find(true);
  if (plain != results_.end() && augmented != results_.end()) {
    absl::PrintF("\n%-10s %10s %10s\n", "epoch", "plain", "augmented");
    const std::size_t epochs = std::min(plain->history.epochs.size(),
                                        augmented->history.epochs.size());
    for (std::size_t e = 0; e < epochs; ++e) {
      absl::PrintF("%-10d %8.2f %% %8.2f %%\n", e + 1,
                   Percent(plain->history.epochs[e].validation_accuracy),
                   Percent(augmented->history.epochs[e].validation_accuracy));
    }
    if (plain->tested && augmented->tested) {
      absl::PrintF("%-10s %8.2f %% %8.2f %%   (%+.2f points)\n", "test",
                   Percent(plain->test_accuracy),
                   Percent(augmented->test_accuracy),
                   Percent(augmented->test_accuracy - plain->test_accuracy));
    }
    absl::PrintF("%-10s %8.2f s %8.2f s   (%.2fx)\n", "time",
                 plain->history.seconds, augmented->history.seconds,
                 Ratio(augmented->history.seconds, plain->history.seconds));
  }
  WorkersTable();
}

void Report::WorkersTable() const {
  if (results_.size() < 2) return;
  absl::PrintF("\n%-10s %7s %10s %12s %10s %10s\n", "run", "workers", "time",
               "images/s", "data wait", "test");
  for (const PhaseResult& result : results_) {
    const Totals totals = Sum(result.history);
    absl::PrintF(
        "%-10s %7d %8.2f s %12.0f %8.1f %% %10s\n", Name(result.phase),
        result.phase.workers, result.history.seconds,
        Ratio(totals.images, totals.seconds),
        Percent(Ratio(totals.wait_seconds, totals.seconds)),
        !result.tested
            ? "stopped"
            : absl::StrFormat("%.2f %%", Percent(result.test_accuracy)));
  }
}

}  // namespace hpcnn::train
