// SPDX-FileCopyrightText: The hpcnn authors
// SPDX-License-Identifier: Apache-2.0

// Optimizers and schedules that the command line chooses. The library's are
// types of their own; these hold any of them, so that a network's training is
// compiled once.

#ifndef HPCNN_TOOLS_TRAIN_CHOICES_H_
#define HPCNN_TOOLS_TRAIN_CHOICES_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "hpcnn/base/policy.h"
#include "hpcnn/optim/adam.h"
#include "hpcnn/optim/momentum.h"
#include "hpcnn/optim/nesterov.h"
#include "hpcnn/optim/optimizer.h"
#include "hpcnn/optim/rms_prop.h"
#include "hpcnn/optim/schedule.h"
#include "hpcnn/optim/sgd.h"

namespace hpcnn::train {

template <class... Rules>
class OneOf {
 public:
  static constexpr const char* kName = "one of several";
  static constexpr std::size_t kStates = std::max({Rules::kStates...});

  static std::vector<std::string_view> Names() { return {Rules::kName...}; }

  // `name`: one of Names().
  OneOf(std::string_view name, float weight_decay) {
    const auto choose = [&]<class Rule>(std::type_identity<Rule>) {
      if (name == Rule::kName) {
        rule_.template emplace<Rule>().weight_decay = weight_decay;
      }
    };
    (choose(std::type_identity<Rules>{}), ...);
  }

  template <ExecutionPolicy P, class T>
  void Update(const OptimizerStep<T>& step, std::span<T> params,
              std::span<T> gradient, std::array<T*, kStates> state) const {
    std::visit(
        [&]<class Rule>(const Rule& rule) {
          std::array<T*, Rule::kStates> used{};
          std::copy_n(state.begin(), Rule::kStates, used.begin());
          rule.template Update<P>(step, params, gradient, used);
        },
        rule_);
  }

 private:
  std::variant<Rules...> rule_;
};

using AnyOptimizer = OneOf<Sgd, Momentum, Nesterov, RmsProp, Adam, AdamW>;

class AnySchedule {
 public:
  static std::vector<std::string_view> Names() {
    std::vector<std::string_view> names;
    for (const auto& [name, schedule] : All()) names.push_back(name);
    return names;
  }

  // `name`: one of Names().
  explicit AnySchedule(std::string_view name) {
    for (const auto& [other, schedule] : All()) {
      if (name == other) schedule_ = schedule;
    }
  }

  float operator()(double done) const {
    return std::visit([&](const auto& schedule) { return schedule(done); },
                      schedule_);
  }

  template <class Record>
  void OnEpoch(const Record& record) {
    std::visit(
        [&](auto& schedule) {
          if constexpr (requires { schedule.OnEpoch(record); }) {
            schedule.OnEpoch(record);
          }
        },
        schedule_);
  }

 private:
  using Schedule = std::variant<CosineSchedule, ConstantSchedule, StepSchedule,
                                OneCycleSchedule, PlateauSchedule>;

  static std::array<std::pair<std::string_view, Schedule>, 5> All() {
    return {{{"cosine", CosineSchedule{}},
             {"constant", ConstantSchedule{}},
             {"step", StepSchedule{}},
             {"onecycle", OneCycleSchedule{}},
             // Runs are short here: PyTorch's ten epochs would be most of one.
             {"plateau", PlateauSchedule{.patience = 1}}}};
  }

  Schedule schedule_;
};

}  // namespace hpcnn::train

#endif  // HPCNN_TOOLS_TRAIN_CHOICES_H_
