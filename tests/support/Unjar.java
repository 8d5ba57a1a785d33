import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.spi.ToolProvider;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Unpacks the ZIPs that standard input names into the current folder: "jar PATH" or "stream PATH". */
public class Unjar {
    public static void main(String[] arguments) throws Exception {
        PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
        ToolProvider jar = ToolProvider.findFirst("jar").orElseThrow();
        BufferedReader asked = new BufferedReader(new InputStreamReader(System.in));
        for (String line = asked.readLine(); line != null; line = asked.readLine()) {
            String path = line.substring(line.indexOf(' ') + 1);
            int code;
            try {
                code = line.startsWith("jar ") ? jar.run(nowhere, nowhere, "xf", path) : stream(Path.of(path));
            } catch (Exception error) {
                code = 1;
            }
            System.out.println(code);
            System.out.flush();
        }
    }

    private static int stream(Path path) throws Exception {
        Path here = Path.of("").toAbsolutePath();
        try (InputStream raw = Files.newInputStream(path); ZipInputStream zip = new ZipInputStream(raw)) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                Path target = here.resolve(entry.getName()).normalize();
                if (!target.startsWith(here) || entry.isDirectory()) {
                    return 1;
                }
                Files.createDirectories(target.getParent());
                Files.copy(zip, target);
                zip.closeEntry();
            }
        }
        return 0;
    }
}
