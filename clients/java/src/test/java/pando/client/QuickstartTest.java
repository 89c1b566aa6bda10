package pando.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import pando.client.quickstart.Quickstart;

/** The README's quickstart, as it is printed. */
class QuickstartTest {
  private static final int LINES_MAX = 20;

  @RegisterExtension final World world = new World();

  /** Whatever its indentation. */
  private static String plain(String code) {
    return code.lines().map(String::strip).collect(Collectors.joining("\n"));
  }

  @Test
  void quickstart() throws IOException, InterruptedException {
    var blocks =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("README.md")))
            .results()
            .map((MatchResult block) -> block.group(1))
            .toList();
    assertEquals(1, blocks.size());
    assertTrue(blocks.get(0).lines().count() <= LINES_MAX);
    String own = Files.readString(Path.of("src/test/java/pando/client/quickstart/Quickstart.java"));
    assertTrue(plain(own).contains(plain(blocks.get(0))), "this is not what README.md prints");

    var printed = new ByteArrayOutputStream();
    PrintStream out = System.out;
    System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
    try {
      Quickstart.main(world.ensemble.endpoints().toArray(String[]::new));
    } finally {
      System.setOut(out);
    }
    var lines = printed.toString(StandardCharsets.UTF_8).lines().toList();
    assertEquals("somebody was faster: /color", lines.get(0));
    assertTrue(lines.contains("child: color"));
    assertEquals("event: /color", lines.get(lines.size() - 1));
  }
}
