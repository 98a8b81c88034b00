#include "builder/debian/closure.h"

#include <algorithm>
#include <set>
#include <utility>

namespace imgbuild::builder {
namespace {

using Edges = std::vector<std::vector<std::size_t>>;

constexpr std::size_t kNone = ~std::size_t{0};

// Strongly connected components (Tarjan), each after those that it leads to. Iterative: a chain of
// dependencies can be as long as an archive.
class Components {
 public:
  explicit Components(const Edges& edges)
      : edges_(edges), number_(edges.size(), kNone), low_(edges.size()), open_(edges.size()) {}

  void VisitFrom(std::size_t start) {
    if (number_[start] != kNone) return;
    Enter(start);
    while (!path_.empty()) {
      auto& [node, next] = path_.back();
      if (next < edges_[node].size()) {
        std::size_t to = edges_[node][next++];
        if (number_[to] == kNone) {
          Enter(to);
        } else if (open_[to]) {
          low_[node] = std::min(low_[node], number_[to]);
        }
      } else {
        Leave();
      }
    }
  }

  const std::vector<std::vector<std::size_t>>& found() const { return found_; }

 private:
  void Enter(std::size_t node) {
    number_[node] = low_[node] = count_++;
    stack_.push_back(node);
    open_[node] = true;
    path_.emplace_back(node, 0);
  }

  void Leave() {
    std::size_t node = path_.back().first;
    path_.pop_back();
    if (!path_.empty()) {
      std::size_t parent = path_.back().first;
      low_[parent] = std::min(low_[parent], low_[node]);
    }
    if (low_[node] != number_[node]) return;
    auto begin = std::find(stack_.rbegin(), stack_.rend(), node).base() - 1;
    found_.emplace_back(begin, stack_.end());
    for (std::size_t member : found_.back()) open_[member] = false;
    stack_.erase(begin, stack_.end());
  }

  const Edges& edges_;
  std::vector<std::size_t> number_;
  std::vector<std::size_t> low_;
  std::vector<bool> open_;
  std::vector<std::size_t> stack_;
  std::vector<std::pair<std::size_t, std::size_t>> path_;
  std::vector<std::vector<std::size_t>> found_;
  std::size_t count_ = 0;
};

// Nodes are numbered by name, so that going through them and their edges in order is going by name.
struct Graph {
  std::vector<std::size_t> original;
  Edges all;
  Edges pre;
  std::vector<std::size_t> roots;
};

Graph ByName(const std::vector<ClosureNode>& nodes, const std::vector<std::size_t>& roots) {
  Graph graph;
  graph.original.resize(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) graph.original[i] = i;
  std::sort(graph.original.begin(), graph.original.end(), [&nodes](std::size_t a, std::size_t b) {
    return nodes[a].package.name() < nodes[b].package.name();
  });
  std::vector<std::size_t> place(nodes.size());
  for (std::size_t i = 0; i < nodes.size(); ++i) place[graph.original[i]] = i;
  auto renumbered = [&place](const std::vector<std::size_t>& list, std::size_t self) {
    std::set<std::size_t> numbers;
    for (std::size_t node : list) numbers.insert(place[node]);
    numbers.erase(self);
    return std::vector<std::size_t>(numbers.begin(), numbers.end());
  };
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const ClosureNode& node = nodes[graph.original[i]];
    std::vector<std::size_t> both = node.pre_depends;
    both.insert(both.end(), node.depends.begin(), node.depends.end());
    graph.all.push_back(renumbered(both, i));
    graph.pre.push_back(renumbered(node.pre_depends, i));
  }
  graph.roots = renumbered(roots, kNone);
  return graph;
}

// Within a loop of dependencies only Pre-Depends count.
std::vector<std::size_t> Ordered(const Graph& graph) {
  Components components(graph.all);
  for (std::size_t root : graph.roots) components.VisitFrom(root);
  std::vector<std::size_t> order;
  for (std::vector<std::size_t> loop : components.found()) {
    std::sort(loop.begin(), loop.end());
    Edges inside(graph.pre.size());
    for (std::size_t node : loop) {
      for (std::size_t to : graph.pre[node]) {
        if (loop.size() > 1 && std::binary_search(loop.begin(), loop.end(), to)) {
          inside[node].push_back(to);
        }
      }
    }
    Components by_pre_depends(inside);
    for (std::size_t node : loop) by_pre_depends.VisitFrom(node);
    for (const auto& part : by_pre_depends.found()) {
      order.insert(order.end(), part.begin(), part.end());
    }
  }
  return order;
}

}  // namespace

const ClosurePackage* Closure::Find(std::string_view name) const {
  auto found = std::find_if(packages.begin(), packages.end(), [name](const ClosurePackage& entry) {
    return entry.package.name() == name;
  });
  return found == packages.end() ? nullptr : &*found;
}

Closure MakeClosure(const std::vector<ClosureNode>& nodes, const std::vector<std::size_t>& roots) {
  Graph graph = ByName(nodes, roots);
  std::vector<std::size_t> order = Ordered(graph);
  std::vector<std::set<std::string>> required_by(nodes.size());
  for (std::size_t root : graph.roots) required_by[root].insert("spec");
  for (std::size_t node : order) {
    std::string name(nodes[graph.original[node]].package.name());
    for (std::size_t to : graph.all[node]) required_by[to].insert(name);
  }
  Closure closure;
  for (std::size_t node : order) {
    closure.packages.push_back({nodes[graph.original[node]].package,
                                {required_by[node].begin(), required_by[node].end()}});
  }
  return closure;
}

}  // namespace imgbuild::builder
